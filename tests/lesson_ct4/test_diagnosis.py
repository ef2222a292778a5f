"""Real failures of a tiny model, and their diagnosis from the stored files."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lesson_ct4.plugin
from lesson_ct4.diagnosis import curves
from lesson_ct4.diagnosis.messages import SECTIONS, SIGNS
from lesson_ct4.diagnosis.text import KINDS, entropy, kind_of
from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_runner.testing import lesson_text, run_lesson

ROOT = Path(__file__).parents[2]
TINY = "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch_size 4 --dropout 0"
STEP = """\
<!-- step
id: {id}
needs: []
expect: [{{metric: {{name: {metric}, min: -1}}}}]
-->
```bash
lesson ct4 {command}
```

"""

WORDS = "the a my thy lord king sweet good night love death crown and of to in shall will not come go"

Run = Callable[..., dict[str, Any]]


def play(lines: int, seed: int = 1) -> str:
    """Return a made-up play: speakers, and lines of a few words."""
    draw = random.Random(seed)
    words = WORDS.split()
    names = ["ROMEO", "JULIET", "NURSE", "HENRY"]
    text = [
        f"{draw.choice(names)}:\n{' '.join(draw.choices(words, k=7)).capitalize()}.\n" for _ in range(lines)
    ]
    return "\n".join(text)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Trains or generates as a step of a lesson, and returns the step's record."""

    def go(command: str, data_text: str | bytes | None = None, name: str = "one") -> dict[str, Any]:
        data = tmp_path / "work" / "data" / "text.txt"
        data.parent.mkdir(parents=True, exist_ok=True)
        if data_text is not None:
            data.write_bytes(data_text if isinstance(data_text, bytes) else data_text.encode())
        metric = "final_loss" if command.startswith("train") else "characters"
        body = STEP.format(id=name, command=command, metric=metric)
        text = lesson_text(body, runner={"profiles": {"unchanged": {"summary": "no other numbers"}}})
        options: dict[str, Any] = {"plugins": [lesson_ct4.plugin], "backend": "emulated"}
        record = run_lesson(text, tmp_path, place=tmp_path / "work", **options)
        step: dict[str, Any] = record["steps"][0]
        return step

    return go


def train(*flags: str) -> str:
    return f"train --data_path data/text.txt --model_save_path tiny {TINY} --fresh {' '.join(flags)}"


def ids(step: dict[str, Any]) -> list[str]:
    return [item["id"] for item in step["diagnoses"]]


# --- real failures ---


@pytest.mark.torch
@pytest.mark.slow
def test_a_training_that_is_well_has_no_diagnosis(run: Run) -> None:
    step = run(train("--max_steps 700", "--learning_rate 3e-3"), play(1000))
    assert step["status"] == "passed"
    assert ids(step) == []


@pytest.mark.torch
def test_a_learning_rate_of_one(run: Run) -> None:
    step = run(train("--max_steps 30", "--learning_rate 1"), play(1000))
    [diagnosis] = step["diagnoses"]
    assert diagnosis["id"] == "loss-exploded"
    assert diagnosis["command"].startswith("lesson run ")
    assert diagnosis["command"].endswith("--param one.learning_rate=0.33")


@pytest.mark.torch
def test_a_loss_that_is_no_number(run: Run, tmp_path: Path) -> None:
    run(train("--max_steps 3"), play(1000))
    path = tmp_path / "work" / "checkpoints" / "tiny.safetensors"
    saved = load_checkpoint(path)
    # The result of an update that threw the weights out of range.
    thrown = {name: np.full_like(array, 3e38) for name, array in saved.parameters.items()}
    save_checkpoint(path, replace(saved, parameters=thrown))

    step = run(train("--max_steps 6", "--resume tiny").replace("--fresh ", ""))

    assert step["status"] == "failed"
    assert ids(step) == ["loss-not-a-number"]
    assert step["diagnoses"][0]["section"] == "The loss explodes or becomes NaN"


@pytest.mark.slow
@pytest.mark.torch
def test_updates_too_small_for_bfloat16(run: Run) -> None:
    step = run(train("--max_steps 300", "--learning_rate 1e-9"), play(1000))
    assert ids(step) == ["loss-stuck"]
    [diagnosis] = step["diagnoses"]
    assert diagnosis["section"] == "The loss does not fall"
    assert diagnosis["command"].endswith("--param one.learning_rate=1e-08")


@pytest.mark.slow
@pytest.mark.torch
def test_letters_in_random_order_teach_their_frequencies_only(run: Run) -> None:
    letters = list(play(1000))
    random.Random(1).shuffle(letters)
    step = run(train("--max_steps 300", "--learning_rate 3e-3"), "".join(letters))
    assert ids(step) == ["nothing-learned"]


@pytest.mark.torch
def test_two_letters_in_turn_have_nothing_to_learn(run: Run) -> None:
    step = run(train("--max_steps 10"), "ab" * 20_000)
    assert ids(step) == ["constant-text"]


@pytest.mark.torch
@pytest.mark.slow
def test_more_steps_than_the_model_has_use_for(run: Run) -> None:
    step = run(train("--max_steps 700", "--learning_rate 1e-2"), ("abcdefgh" * 8 + "\n") * 400)
    assert ids(step) == ["plateau"]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "".join(json.dumps({"prompt": f"say {n}", "answer": str(n)}) + "\n" for n in range(800)),
            "jsonl-text",
        ),
        (" ".join(play(900).split()), "one-line-text"),
        (play(40), "short-text"),
        ("".join(chr(n % 32) for n in range(30_000)) + play(1000), "binary-text"),
        (b"\x89PNG\r\n\x1a\n" * 9000, "binary-text"),
        ("ROMEO:", "short-text"),
    ],
)
def test_the_wrong_kind_of_text(run: Run, text: str | bytes, expected: str) -> None:
    step = run(train("--max_steps 10"), text)
    assert ids(step) == [expected]
    assert step["diagnoses"][0]["section"] == "The text is not what it should be"


@pytest.mark.torch
def test_no_text_and_no_checkpoint(run: Run) -> None:
    assert ids(run(train("--max_steps 10"))) == ["missing-file"]
    assert ids(run("generate --model_path nothing --prompt A --max_new_tokens 5")) == ["missing-file"]
    elsewhere = train("--max_steps 10").replace("data/text.txt", "no/such/folder/text.txt")
    assert ids(run(elsewhere)) == ["missing-file"]


@pytest.mark.torch
def test_a_folder_for_checkpoints_that_is_not_there_is_made(run: Run, tmp_path: Path) -> None:
    step = run(train("--max_steps 3").replace("path tiny", "path ~/not/yet/there/tiny.pkl"), play(1000))
    assert (step["status"], ids(step)) == ("passed", [])
    assert (tmp_path / "work/checkpoints/not/yet/there/tiny.safetensors").is_file()


@pytest.mark.torch
def test_a_batch_that_no_memory_holds(run: Run) -> None:
    flags = train("--max_steps 2").replace("--batch_size 4", "--batch_size 40000000000")
    step = run(flags, play(1000))
    assert ids(step) == ["out-of-memory"]
    assert step["diagnoses"][0]["command"].endswith("one.batch_size=2e+10")


@pytest.mark.torch
@pytest.mark.slow
def test_an_optimizer_that_lost_its_moments(run: Run, tmp_path: Path) -> None:
    first = run(train("--max_steps 400", "--learning_rate 1e-2"), play(1000))
    path = tmp_path / "work" / "checkpoints" / "tiny.safetensors"
    saved = load_checkpoint(path)
    assert saved.optimizer is not None
    # As from a checkpoint that has only the weights: the moments are lost.
    moments = {
        moment: {name: np.zeros_like(array) for name, array in tensors.items()}
        for moment, tensors in saved.optimizer.moments.items()
    }
    save_checkpoint(path, replace(saved, optimizer=replace(saved.optimizer, moments=moments)))

    flags = train("--max_steps 440", "--learning_rate 1e-2", "--resume tiny")
    step = run(flags.replace("--fresh ", ""))

    assert first["status"] == step["status"] == "passed"
    assert ids(step) == ["spike-after-resume"]


@pytest.mark.slow
@pytest.mark.torch
def test_a_text_that_runs_in_circles(run: Run, tmp_path: Path) -> None:
    run(train("--max_steps 120", "--learning_rate 1e-2"), "wither with the " * 3000 + "\n" * 3)
    step = run("generate --model_path tiny --prompt w --max_new_tokens 200 --temperature 0.8")
    warm, cool = (
        step["diagnoses"],
        run("generate --model_path tiny --prompt w --max_new_tokens 200 --temperature 0")["diagnoses"],
    )
    [greedy] = run("generate --model_path tiny --prompt w --max_new_tokens 200 --top_k 1")["diagnoses"]
    told = [path.read_text("utf-8") for path in tmp_path.glob(".lesson/runs/*/events.jsonl")]
    assert any("New in this run: letters" in text for text in told)
    assert [item["id"] for item in [*warm, *cool]] == ["repetition", "repetition"]
    assert (
        "the training text repeats itself too" in warm[0]["explanation"]
    )  # the text repeats itself, and no tt-metal was involved
    assert warm[0]["command"] == ""
    assert "top_k of 1" in greedy["explanation"]
    assert greedy["command"].endswith("one.top_k=40")
    assert "temperature of 0" in cool[0]["explanation"]
    assert cool[0]["command"].endswith("one.temperature=0.8")


# --- curves and kinds of text ---


def falling(steps: int, end: float) -> list[float]:
    return [end + (4.5 - end) * math.exp(-step / (steps / 5)) for step in range(steps)]


@pytest.mark.parametrize("size", [0, 1, 5, 299])
def test_a_young_curve_is_left_alone(size: int) -> None:
    losses = [4.5] * size
    assert not curves.is_stuck(losses)
    assert not curves.knows_frequencies_only(losses, 3.3)
    assert not curves.is_flat(losses)


def test_curves() -> None:
    assert curves.is_stuck([4.5] * 400)
    assert not curves.is_stuck(falling(400, 2.0))
    assert curves.knows_frequencies_only(falling(4000, 3.3), 3.31)
    assert not curves.knows_frequencies_only(falling(4000, 2.4), 3.31)
    assert curves.is_flat(falling(1000, 2.0) + [2.0] * 3000)
    assert not curves.is_flat([4.5 - step / 1000 for step in range(3000)])
    assert curves.jump([2.0] * 50 + [2.6] * 20, 50) == pytest.approx(0.6)
    assert curves.jump([2.0] * 50 + [2.1] * 20, 50) == 0
    assert curves.jump([1.6, 2.4] * 25 + [2.4] * 20, 50) == 0  # the scatter of a small batch
    assert curves.jump([], 3) == curves.jump([2.0] * 5, 5) == 0


@given(st.lists(st.floats(0, 20), max_size=900), st.integers(0, 900))
def test_any_curve_has_an_answer(losses: Sequence[float], begin: int) -> None:
    assert isinstance(curves.is_stuck(losses), bool)
    assert isinstance(curves.is_flat(losses), bool)
    assert curves.jump(losses, begin) >= 0


@given(st.text(min_size=1))
def test_any_text_has_an_entropy_and_a_kind(text: str) -> None:
    assert -1e-9 <= entropy(text) <= math.log(len(text)) + 1e-9
    kind = kind_of(text)
    assert kind is None or kind[0] in {name for name, _, _ in KINDS}


def test_a_play_is_the_right_kind() -> None:
    assert kind_of(play(1000)) is None
    assert entropy("abab") == pytest.approx(math.log(2))


def test_the_lesson_explains_what_is_diagnosed() -> None:
    text = (ROOT / "lessons" / "ct4-finetuning-basics.md").read_text("utf-8")
    assert [name for name in SECTIONS if f"\n### {name}\n" not in text] == []
    assert {sign.diagnosis.section for sign in SIGNS} <= set(SECTIONS)
