"""Rules: what ``lesson validate`` checks in lesson documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.model.document import Diagnostic, Lesson, Severity


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule may know about other documents than the one it checks."""

    lessons: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """The files of all known lessons, by id: those being validated, and those of plugins."""
    together: frozenset[Path] = frozenset()
    """The files that are validated in the same command, as they were named."""
    anchors_of: Callable[[Path], frozenset[str] | None] = lambda _: None
    """Returns the anchors of another document; ``None`` if the file is not Markdown or cannot be read."""
    uncertified: Callable[[Lesson, str], str] | None = None
    """
    Returns why a lesson has no valid certificate for a hardware; an empty string if it has one. ``None``
    unless ``lesson validate --certs`` was given.
    """


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A kind of mistake that a lesson can have.

    Attributes:
        id: the name printed after a diagnostic, in ``words-with-hyphens``. A plugin's rules begin with the
            plugin's name and a dot.
        severity: ``error`` for what is wrong, ``warning`` for what is probably wrong or missing, ``info`` for
            what is worth knowing.
        summary: one line, for ``lesson explain``.
        page: Markdown that ``lesson explain ID`` prints below the summary: why it matters, how to fix it.
            Empty only for the core's own rules, whose pages are files.
        check: yields the diagnostics of one lesson. It must not change anything or use the network. ``None``
            if the diagnostics come from reading or planning the lesson.
    """

    id: str
    severity: Severity
    summary: str
    page: str = ""
    check: Callable[[Lesson, Scope], Iterable[Diagnostic]] | None = None
