"""The anchors of documents: the names that links can use after ``#``."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from lesson_runner.document.anchors import anchors_of_headings
from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Lesson
from lesson_runner.model.errors import LessonError

_MARKDOWN = (".md", ".markdown")


def anchors_in(lesson: Lesson) -> frozenset[str]:
    """Return the anchors of a lesson."""
    return anchors_of_headings(lesson.headings) | lesson.anchors


def anchors_of(path: Path) -> frozenset[str] | None:
    """Return the anchors of a file; ``None`` if it is not Markdown or cannot be read."""
    if path.suffix.lower() not in _MARKDOWN:
        return None
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return _read(os.path.realpath(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read(path: str, changed: int, size: int) -> frozenset[str] | None:  # noqa: ARG001  # part of the key
    try:
        lesson, _ = load_lesson(Path(path))
    except LessonError:
        return None
    return anchors_in(lesson)
