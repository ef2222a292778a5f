"""The results of a validation, as data; ``lesson_runner.report.diagnostics`` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.model.document import Diagnostic
from lesson_runner.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Checked:
    """The diagnostics of one document; without its text, so that ten thousand need little memory."""

    path: Path
    diagnostics: tuple[Diagnostic, ...] = ()
    """In the order of lines."""
    lines: Mapping[int, str] = field(default_factory=dict)
    """The lines of the document that diagnostics are about, by number; secrets in them are masked."""
    is_lesson: bool = True
    """False for the code of a plugin that does not work."""
    digest: str | None = None
    """The sha256 of the file when it was validated; ``None`` if it could not be read."""


@dataclass(slots=True)
class Diagnostics:
    """
    The diagnostics of a set of documents, one document after the other.

    Iterating over it reads :attr:`documents` and counts; the counts are complete when the iteration ends.
    """

    documents: Iterable[Checked]
    """In order; may be an iterator, which can be read only once."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """All rules, by id."""
    fixed: int = 0
    """How many diagnostics ``--fix`` has fixed; :attr:`documents` no longer contains them."""
    lessons: int = 0
    """How many documents were validated."""
    errors: int = 0
    warnings: int = 0
    notes: int = 0
    """How many diagnostics have the severity ``info``."""
    fixable: int = 0
    """How many diagnostics have edits that fix them."""

    def __iter__(self) -> Iterator[Checked]:
        self.lessons = self.errors = self.warnings = self.notes = self.fixable = 0
        for document in self.documents:
            self.lessons += document.is_lesson
            for item in document.diagnostics:
                self.errors += item.severity == "error"
                self.warnings += item.severity == "warning"
                self.notes += item.severity == "info"
                self.fixable += bool(item.edits)
            yield document
