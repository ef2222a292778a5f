"""One slip of the fingers is a misspelt name; anything else is another name."""

from __future__ import annotations

import pytest

from lesson_runner.document.typos import is_typo

KNOWN = ["mkdir", "python", "cat", "gunzip", "grep", "sed"]


@pytest.mark.parametrize("word", ["mkdri", "mkdr", "mkkdir", "mkdirr", "pyhton", "pytho", "gerp", "grepp"])
def test_a_slip(word: str) -> None:
    assert is_typo(word, KNOWN)


@pytest.mark.parametrize(
    "word", ["mkdir", "act", "unzip", "gsed", "zgrep", "grp", "pythons", "gmkdir", "", "x"]
)
def test_another_name(word: str) -> None:
    assert not is_typo(word, KNOWN)
