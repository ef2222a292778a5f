"""Documents with one digest have one plan; ``python -m tools.fuzz.pairs`` is the long form."""

from __future__ import annotations

import os
import re
from pathlib import Path
from random import SystemRandom

import pytest
from tools.fuzz import pairs

from lesson_runner.document import frontmatter
from lesson_runner.run import digests


def look(folder: Path, count: int) -> pairs.Found:
    """Try pairs from a seed that is new every time, and say which one if something is found."""
    seed = int(os.environ.get("LESSON_TEST_SEED", SystemRandom().randrange(2**32)))
    print(f"seed {seed}: LESSON_TEST_SEED={seed} makes the same pairs")
    found = pairs.search(count, seed, folder)
    assert found.wrong == []
    return found


@pytest.mark.slow
def test_some_pairs(tmp_path: Path) -> None:
    found = look(tmp_path, 60)
    assert found.accepted > 10


@pytest.mark.slow
def test_thousands_of_pairs(tmp_path: Path) -> None:
    found = look(tmp_path, 1_500)
    assert found.same > 50


@pytest.mark.slow
def test_a_reader_that_lets_other_markers_pass_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontmatter, "_LIKE_A_MARKER", re.compile("(?!)"))
    wrong = pairs.search(117, 1, tmp_path).wrong
    assert any("markdown-it-py ends the front matter elsewhere" in item for item in wrong)


@pytest.mark.slow
def test_a_digest_that_takes_two_values_for_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_distinct", lambda value: value)
    assert any("one digest, two plans" in item for item in pairs.search(192, 1, tmp_path).wrong)
