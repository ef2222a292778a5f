"""The lesson itself, run as a user runs it: in a separate process, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.lessons.running import by_id, lesson, record_of

from lesson_ct4 import synthetic_play
from lesson_ct4.actions.table import QUICK
from lesson_ct4.blocks.interpret import interpret_block
from lesson_ct4.config import config_from, training_fields
from lesson_ct4.data import fetch
from lesson_runner.document.lessons import load_lesson

ROOT = Path(__file__).parents[2]
LESSON = "ct4-finetuning-basics"


@pytest.mark.slow
def test_both_profiles_plan_the_same_steps(installed_lesson: Callable[..., Said]) -> None:
    quick, full = (
        installed_lesson("plan", LESSON, "--profile", name, "--json").json for name in ("quick", "full")
    )

    assert [step["id"] for step in quick["steps"]] == [step["id"] for step in full["steps"]]
    epochs = [step["params"]["num_epochs"] for step in full["steps"] if step["action"] == "ct4.train"]
    assert epochs == [10, 30, 100, 200]
    trained = next(step["params"] for step in full["steps"] if step["id"] == "stage-1")
    model = {name: trained[name] for name in ("n_layer", "n_embd", "n_head", "sequence_length")}
    assert model == {"n_layer": 6, "n_embd": 384, "n_head": 6, "sequence_length": 256}


def test_typed_in_commands_train_stages_of_the_lengths_in_the_lesson() -> None:
    """Without a runner there is no profile: the printed flags alone must say it."""
    document, _ = load_lesson(ROOT / "lessons" / f"{LESSON}.md")
    blocks = [step.block for step in document.steps if step.id.startswith("stage-")]
    lengths = []
    for block in blocks:
        assert block is not None
        (call,) = interpret_block(block) or ()
        config = config_from(training_fields(call.params))
        lengths.append(config.steps(train_characters=1_003_855)[0])

    assert lengths == [1_000, 3_000, 10_000, 20_000]


def test_the_actions_own_quick_profile_is_the_lessons() -> None:
    """Documents without profiles of their own get the model that was measured for this lesson."""
    document, _ = load_lesson(ROOT / "lessons" / f"{LESSON}.md")
    profile = document.runner["profiles"]["quick"]["with"]["ct4.train"]
    assert {name: QUICK[name] for name in profile} == profile


@pytest.mark.slow
def test_settings_that_contradict_each_other_are_found_before_anything_runs(tmp_path: Path) -> None:
    result = lesson(tmp_path, "run", LESSON, "--param", "n_head=5")

    assert result.returncode == 2
    assert "step 'stage-1': --n_head 5 does not divide --n_embd 128 into multiples of 32" in result.stderr
    assert not (tmp_path / ".lesson").exists()


@pytest.mark.slow
@pytest.mark.torch
def test_a_text_of_ones_own_is_not_held_to_shakespeares_numbers(tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("ROMEO: it is a tale told over and over again.\n" * 400)

    result = lesson(
        tmp_path, "run", LESSON, "--until", "preview", "--param", f"dataset={text}", "--param", "sha256=any"
    )

    assert result.returncode == 0, result.stdout
    record = record_of(tmp_path)
    assert record["labels"] == ["other dataset"]
    assert record["facts"]["dataset"]["text"] == "other"


@pytest.mark.slow
@pytest.mark.torch
def test_a_truncated_data_set_stops_the_lesson_where_it_is_fetched(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(synthetic_play.generate()[:-1])

    result = lesson(tmp_path, "run", LESSON, "--param", f"dataset={text}")

    assert result.returncode == 1, result.stderr
    steps = by_id(record_of(tmp_path))
    message = steps["dataset"]["message"].replace(",", "")
    assert steps["dataset"]["status"] == "failed"
    assert "1115393" in message
    assert "1115394" in message
    assert fetch.SHA256 in message
    waiting = [step["status"] for name, step in steps.items() if name not in ("environment", "dataset")]
    assert set(waiting) == {"not-reached"}
