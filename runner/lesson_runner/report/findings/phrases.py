"""What the formats share: paths as they are shown, a diagnostic in one line, and how many there are."""

from __future__ import annotations

import os
from pathlib import Path

from lesson_runner.model import Diagnostic, Diagnostics
from lesson_runner.report.text import line


def shown(path: Path, root: Path) -> str:
    """Return a path as a person in the folder ``root`` would write it."""
    return str(path.relative_to(root)) if path.is_absolute() and path.is_relative_to(root) else str(path)


def in_repository(path: Path, root: Path) -> Path | None:
    """
    Return a path from the top of the repository that ``root`` lies in, else from ``root`` itself.

    Returns:
        ``None`` for a path outside.
    """
    here = root.absolute()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    whole = Path(os.path.normpath(here / path))
    return whole.relative_to(top) if whole.is_relative_to(top) else None


def sentence(item: Diagnostic) -> str:
    """Return what a diagnostic says and what to do; each made harmless by itself: one could eat the other."""
    return f"{line(item.message)} ({line(item.fix)})" if item.fix else line(item.message)


def counted(number: int, noun: str) -> str:
    """Return ``1 error`` or ``2 errors``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def totals(diagnostics: Diagnostics) -> str:
    """Return how many lessons were looked at and how many diagnostics there are, by severity."""
    parts = [
        counted(diagnostics.lessons, "lesson"),
        counted(diagnostics.errors, "error"),
        counted(diagnostics.warnings, "warning"),
    ]
    return ", ".join([*parts, counted(diagnostics.notes, "note")] if diagnostics.notes else parts)
