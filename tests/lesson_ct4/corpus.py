"""Local copies of tiny Shakespeare and of the published lesson, if available."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "LESSON_TEST_SHAKESPEARE"
LESSON_VARIABLE = "LESSON_TEST_PUBLISHED_LESSON"
_SHARED = Path(__file__).parents[2] / "../shared"
_BESIDE = _SHARED / "data/tinyshakespeare.txt"
_LESSON_BESIDE = _SHARED / "seed-ct4-finetuning-basics.md"


def corpus_path() -> Path:
    """Return the path of the local copy; skip the test if there is none."""
    path = Path(os.environ.get(VARIABLE) or _BESIDE).resolve()
    if not path.is_file():
        pytest.skip(f"no local copy of tiny Shakespeare; set {VARIABLE} to the path of one")
    return path


def tiny_shakespeare() -> str:
    """Return the text of the local copy; skip the test if there is none."""
    return corpus_path().read_text(encoding="ascii")


def published_lesson() -> Path:
    """Return the path of the published lesson; skip the test if there is none."""
    path = Path(os.environ.get(LESSON_VARIABLE) or _LESSON_BESIDE).resolve()
    if not path.is_file():
        pytest.skip(f"no local copy of the published lesson; set {LESSON_VARIABLE} to the path of one")
    return path
