"""What a validation found, as data; ``lesson_runner.report.findings`` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.model.document import Diagnostic, Severity
from lesson_runner.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a set of documents."""

    lessons: tuple[Path, ...]
    """Every document that was looked at, in order."""
    diagnostics: tuple[Diagnostic, ...]
    """By document, in the order of lines."""
    texts: Mapping[Path, str] = field(default_factory=dict)
    """The text of every document that could be read, with LF line ends."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Every rule there is, by id."""
    digests: Mapping[Path, str] = field(default_factory=dict)
    """The sha256 of every document that could be read, as it was then."""
    fixed: tuple[Diagnostic, ...] = ()
    """What ``--fix`` has mended; no longer among the diagnostics."""

    def count(self, severity: Severity) -> int:
        """Return how many findings are this severe."""
        return sum(item.severity == severity for item in self.diagnostics)

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return self.count("error")

    @property
    def warnings(self) -> int:
        """How many warnings there are."""
        return self.count("warning")

    @property
    def notes(self) -> int:
        """How many findings are only worth knowing."""
        return self.count("info")
