"""Rules: what is looked for in lesson documents beyond what makes them impossible to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.model.document import Diagnostic, Lesson, Severity


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule may ask about the world around the lesson it looks at."""

    lessons: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """The files of every lesson that is known, by id: those being validated, and those of plugins."""
    together: frozenset[Path] = frozenset()
    """The documents that are being validated."""
    anchors_of: Callable[[Path], frozenset[str] | None] = lambda _: None
    """The anchors of another document; ``None`` for what is not a document."""
    uncertified: Callable[[Lesson, str], str] | None = None
    """Why a lesson has no valid certificate for a hardware, empty if it has; ``None`` where nobody asks."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Something that can be wrong with a lesson.

    Attributes:
        id: what is printed behind a diagnostic: ``words-with-hyphens``; a plugin's begin with its name and a
            dot.
        severity: ``error`` for what is wrong, ``warning`` for what is likely wrong or missing, ``info`` for
            what is worth knowing.
        summary: one line.
        page: what ``lesson explain`` prints below that, in Markdown: why it matters, how to mend it.
        check: yields the diagnostics about one lesson; ``None`` for what is found while reading or planning.
            Must not change anything, must not use the network.
    """

    id: str
    severity: Severity
    summary: str
    page: str = ""
    check: Callable[[Lesson, Scope], Iterable[Diagnostic]] | None = None
