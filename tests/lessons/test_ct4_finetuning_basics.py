"""The lesson itself, run as a user runs it: in a process of its own, in an empty folder."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_ct4.corpus import corpus_path
from tests.lessons.running import by_id, lesson, record_of

from lesson_ct4 import synthetic_play
from lesson_ct4.actions.table import QUICK
from lesson_ct4.blocks.interpret import interpret_block
from lesson_ct4.config import config_from, training_fields
from lesson_ct4.data import fetch
from lesson_runner.schema.lessons import load_lesson

ROOT = Path(__file__).parents[2]
LESSON = "ct4-finetuning-basics"


def test_it_validates_without_a_finding(tmp_path: Path) -> None:
    result = lesson(tmp_path, "validate", LESSON, "--json")

    assert result.returncode == 0
    assert json.loads(result.stdout)["findings"] == []


def test_every_block_a_reader_would_type_is_a_step_or_has_a_reason(tmp_path: Path) -> None:
    plan = json.loads(lesson(tmp_path, "plan", LESSON, "--json").stdout)

    assert [item for item in plan["not_run"] if not item["reason"]] == []


def test_both_profiles_plan_the_same_steps(tmp_path: Path) -> None:
    quick, full = (
        json.loads(lesson(tmp_path, "plan", LESSON, "--profile", name, "--json").stdout)
        for name in ("quick", "full")
    )

    assert [step["id"] for step in quick["steps"]] == [step["id"] for step in full["steps"]]
    epochs = [step["params"]["num_epochs"] for step in full["steps"] if step["action"] == "ct4.train"]
    assert epochs == [10, 30, 100, 200]
    trained = next(step["params"] for step in full["steps"] if step["id"] == "stage-1")
    model = {name: trained[name] for name in ("n_layer", "n_embd", "n_head", "sequence_length")}
    assert model == {"n_layer": 6, "n_embd": 384, "n_head": 6, "sequence_length": 256}


def test_typed_by_hand_the_stages_have_the_lengths_the_lesson_says() -> None:
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


def test_settings_that_contradict_each_other_are_found_before_anything_runs(tmp_path: Path) -> None:
    result = lesson(tmp_path, "run", LESSON, "--param", "n_head=5")

    assert result.returncode == 2
    assert "step 'stage-1': --n_head 5 does not cut --n_embd 128 into multiples of 32" in result.stderr
    assert not (tmp_path / ".lesson").exists()


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


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.torch
def test_the_whole_lesson_shows_every_phase_of_learning(tmp_path: Path) -> None:
    """The main job, with the real text."""
    options = ["--param", f"dataset={corpus_path()}"]

    result = lesson(tmp_path, "run", LESSON, "--profile", "quick", *options, timeout=850)

    assert result.returncode == 0
    check_phases(record_of(tmp_path), result.stdout)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.torch
def test_two_passes_of_the_whole_lesson_are_certified_for_what_they_are(tmp_path: Path) -> None:
    """The main job with the fallback, twice: a certificate, checked in another workspace by somebody else."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    assert lesson(here, "cert", "keys", "new", "lab").returncode == 0
    (here / "lab.pub").write_text(lesson(here, "cert", "keys", "list", "lab").stdout)

    result = lesson(here, "certify", LESSON, "--policy", "emulated", "--param", "fallback=only", timeout=1150)

    assert result.returncode == 0, result.stdout[-3000:]
    for path in (here / ".lesson" / "runs").glob("*/record.json"):
        record = json.loads(path.read_text("utf-8"))
        check_phases(record, result.stdout)
        assert "synthetic dataset" in record["labels"]
    (certificate,) = (here / ".lesson" / "certificates").iterdir()
    shutil.move(certificate, there / "certificate")
    checked = lesson(there, "cert", "verify", "certificate", "--key", str(here / "lab.pub"), "--json")
    answer = json.loads(checked.stdout)
    assert answer["holds"], answer
    assert answer["certificate"]["target"] == "emulated"
    runs = [f"--from-run={path}" for path in sorted((here / ".lesson" / "runs").iterdir())]
    refused = lesson(here, "certify", LESSON, *runs, "--json")
    missing = {item["requirement"] for item in json.loads(refused.stdout)["findings"] if not item["met"]}
    assert refused.returncode == 5
    assert missing == {
        *("class", "hardware", "profile", "parameters"),
        *("fact backend.name", "fact backend.kind", "fact dataset.pinned", "version metal.version"),
    }


def check_phases(record: dict[str, Any], said: str) -> None:
    """Check that every step passed, and that the stages show, and the run says, what the lesson promises."""
    steps = by_id(record)
    assert {name: step["message"] for name, step in steps.items() if step["status"] != "passed"} == {}
    assert "emulated" in record["labels"]
    stages = [steps[f"stage-{number}"]["metrics"] for number in (1, 2, 3, 4)]
    losses = [stage["validation_loss"] for stage in stages]
    assert losses == sorted(losses, reverse=True)
    texts = [steps[f"text-{number}"]["metrics"] for number in (1, 2, 3, 4)]
    words = [text["real_word_ratio"] for text in texts]
    assert words[1] < words[2] < words[3]
    assert texts[0]["format_score"] < texts[2]["format_score"]
    # Which of the two first stages shows structure is a matter of chance; the second does.
    assert re.search(r"^Learned: .*\bstructure by stage [12], vocabulary by stage 3\b", said, re.M)
    # Lines of the form `Xyz:` come by chance from the start; names of the play do not.
    assert texts[0]["known_speakers"] == 0 < texts[3]["known_speakers"]
