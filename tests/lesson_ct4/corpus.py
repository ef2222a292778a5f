"""Where the tests look for a local copy of tiny Shakespeare, if there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "LESSON_TEST_SHAKESPEARE"
_BESIDE = Path(__file__).parents[2] / "../shared/data/tinyshakespeare.txt"


def corpus_path() -> Path:
    """Return the path of the local copy, or skip the test that asks for it."""
    path = Path(os.environ.get(VARIABLE) or _BESIDE).resolve()
    if not path.is_file():
        pytest.skip(f"no local copy of tiny Shakespeare; set {VARIABLE} to the path of one")
    return path


def tiny_shakespeare() -> str:
    """Return the text of the local copy, or skip the test that asks for it."""
    return corpus_path().read_text(encoding="ascii")
