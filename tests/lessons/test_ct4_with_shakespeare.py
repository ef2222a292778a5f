"""The main job, with the real text: all of ``quick``. Alone in its file, so that both texts run at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lesson_ct4.corpus import corpus_path
from tests.lessons.learned import check_phases
from tests.lessons.running import lesson, record_of


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.torch
def test_the_whole_lesson_shows_every_phase_of_learning(tmp_path: Path) -> None:
    options = ["--profile", "quick", "--param", f"dataset={corpus_path()}"]

    result = lesson(tmp_path, "run", "ct4-finetuning-basics", *options, timeout=850)

    record = record_of(tmp_path)
    check_phases(record, result.stdout)
    assert result.returncode == 0
    assert ("synthetic dataset" in record["labels"]) is False
