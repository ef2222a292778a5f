"""What the formats of diagnostics share: how paths, messages and counts are written."""

from __future__ import annotations

import os
from pathlib import Path

from lesson_runner.model import Diagnostic, Diagnostics
from lesson_runner.report.text import line


def shown(path: Path, root: Path) -> str:
    """Return a path relative to the folder ``root``, or unchanged if it is outside."""
    return str(path.relative_to(root)) if path.is_absolute() and path.is_relative_to(root) else str(path)


def in_repository(path: Path, root: Path) -> Path | None:
    """
    Return a path relative to the top of the repository that contains ``root``, or else to ``root``.

    Returns:
        ``None`` for a path outside.
    """
    here = root.absolute()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    whole = Path(os.path.normpath(here / path))
    return whole.relative_to(top) if whole.is_relative_to(top) else None


def sentence(item: Diagnostic) -> str:
    """Return the message of a diagnostic and its fix; each is made harmless before they are joined."""
    return f"{line(item.message)} ({line(item.fix)})" if item.fix else line(item.message)


def counted(number: int, noun: str) -> str:
    """Return ``1 error`` or ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def totals(diagnostics: Diagnostics) -> str:
    """Return how many lessons were checked and how many diagnostics there are, by severity."""
    parts = [
        counted(diagnostics.lessons, "lesson"),
        counted(diagnostics.errors, "error"),
        counted(diagnostics.warnings, "warning"),
    ]
    return ", ".join([*parts, counted(diagnostics.notes, "note")] if diagnostics.notes else parts)
