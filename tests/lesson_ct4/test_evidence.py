"""Metrics from files: correct ones from complete files, none from damaged ones."""

from __future__ import annotations

import hashlib
import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lesson_ct4.measuring.evidence import loss_metrics, measure_action, read_losses
from lesson_runner.files.evidence import Evidence

CORPUS = "ROMEO:\nBut soft, what light.\n\nJULIET:\nGood night, good night.\n\n" * 30


@pytest.fixture
def stored(tmp_path: Path) -> Evidence:
    (tmp_path / "shared").mkdir()
    (tmp_path / "step").mkdir()
    return Evidence(tmp_path / "step", tmp_path / "shared")


def write_curve(stored: Evidence, losses: list[float]) -> None:
    rows = [f"{step},{loss},0.001,0.01" for step, loss in enumerate(losses, start=1)]
    (stored.folder / "loss.csv").write_text("\n".join(["step,loss,learning_rate,seconds", *rows, ""]))


def write_corpus(stored: Evidence, text: str = CORPUS) -> str:
    data = text.encode()
    name = f"corpus-{hashlib.sha256(data).hexdigest()[:16]}.txt"
    (stored.shared / name).write_bytes(data)
    return name


# --- training ----------------------------------------------------------------------------------


def test_losses() -> None:
    losses = [4.0] * 10 + [1.0] * 50 + [2.0] * 30

    assert loss_metrics(losses) == {
        "first_loss": 4.0,
        "last_loss": 2.0,
        "final_loss": pytest.approx((20 * 1 + 30 * 2) / 50),
        "best_loss": 1.0,
    }
    assert loss_metrics([3.0, 1.0]) == {"first_loss": 3, "last_loss": 1, "final_loss": 2, "best_loss": 2}


def test_training(stored: Evidence) -> None:
    write_curve(stored, [4.0, 3.0])
    summary = {
        "steps": 2,
        "reused_steps": 1,
        "parameters": 100,
        "seconds": 0.5,
        "tokens_per_second": None,
        "validation_loss": 2 * math.log(2),
    }
    (stored.folder / "training.json").write_text(json.dumps(summary))

    assert measure_action("ct4.train", stored) == {
        "first_loss": 4.0,
        "last_loss": 3.0,
        "final_loss": 3.5,
        "best_loss": 3.5,
        "training_seconds": pytest.approx(0.02),
        "steps": 2,
        "reused_steps": 1,
        "parameters": 100,
        "seconds": 0.5,
        "validation_loss": 2 * math.log(2),
        "bits_per_character": 2,
    }


@pytest.mark.parametrize(
    "summary", [None, "{", "[]", '{"steps": "many", "seconds": NaN, "parameters": true}']
)
def test_a_damaged_summary_costs_its_own_numbers(stored: Evidence, summary: str | None) -> None:
    write_curve(stored, [4.0])
    if summary is not None:
        (stored.folder / "training.json").write_text(summary)

    assert measure_action("ct4.train", stored) == {
        "first_loss": 4,
        "last_loss": 4,
        "final_loss": 4,
        "best_loss": 4,
        "training_seconds": pytest.approx(0.01),
        "steps": 1,
    }


@pytest.mark.parametrize(
    "content",
    ["", "step,loss\n2,1.0\n", "step,loss\n1,nan\n", "step,loss\n1\n", "a,b\n1,2\n", "step,loss\n1,x\n"],
)
def test_a_damaged_curve_gives_no_losses(stored: Evidence, content: str) -> None:
    (stored.folder / "loss.csv").write_text(content)

    assert read_losses(stored) == []
    assert measure_action("ct4.train", stored) == {}


def test_a_damaged_column_costs_its_own_numbers(stored: Evidence) -> None:
    (stored.folder / "loss.csv").write_text("step,loss,seconds\n1,2.0,0.1\n2,1.0,\n")

    metrics = measure_action("ct4.train", stored)
    assert (metrics["last_loss"], metrics["steps"]) == (1.0, 2)
    assert "training_seconds" not in metrics


@pytest.mark.slow
def test_a_long_curve_is_not_held_as_text(stored: Evidence) -> None:
    steps = 20_000
    rows = "".join(f"{step},2.5,0.0005,0.123456\n" for step in range(1, steps + 1))
    (stored.folder / "loss.csv").write_text(f"step,loss,learning_rate,seconds\n{rows}")
    tracemalloc.start()
    metrics = measure_action("ct4.train", stored)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert metrics["steps"] == steps
    assert peak < 40 * steps  # two columns of 8 bytes for each step, and room to grow


def test_no_files_no_numbers(stored: Evidence) -> None:
    for action in ("ct4.train", "ct4.generate", "ct4.fetch-dataset", "ct4.check-environment", "shell"):
        assert measure_action(action, stored) == {}


# --- generating --------------------------------------------------------------------------------


def write_samples(stored: Evidence, **changes: Any) -> None:
    record = {"prompt": "ROMEO:", "samples": ["\nGood light.\n\n", "\nXyzzy night.\n"], **changes}
    (stored.folder / "samples.json").write_text(json.dumps(record))


def test_samples_are_measured_together(stored: Evidence) -> None:
    write_samples(stored, corpus=write_corpus(stored))

    metrics = measure_action("ct4.generate", stored)

    assert metrics["samples"] == 2
    assert metrics["words"] == 4
    assert metrics["real_word_ratio"] == 0.75


def test_a_text_that_begins_like_its_prompt_loses_nothing(stored: Evidence) -> None:
    write_samples(stored, corpus=write_corpus(stored), samples=["ROMEO:\n"])

    assert measure_action("ct4.generate", stored)["characters"] == len("ROMEO:\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"corpus": None},
        {"corpus": "corpus-0000000000000000.txt"},
        {"corpus": "../step/samples.json"},
        {"samples": [1]},
        {"prompt": None},
    ],
)
def test_damaged_samples_give_nothing(stored: Evidence, changes: dict[str, Any]) -> None:
    write_samples(stored, **{"corpus": write_corpus(stored), **changes})

    assert measure_action("ct4.generate", stored) == {}


def test_a_changed_corpus_gives_nothing(stored: Evidence) -> None:
    name = write_corpus(stored)
    write_samples(stored, corpus=name)
    (stored.shared / name).write_text(CORPUS + "Xyzzy")

    assert measure_action("ct4.generate", stored) == {}


# --- the data set ------------------------------------------------------------------------------


def test_a_dataset_that_is_not_the_recorded_one_gives_nothing(stored: Evidence) -> None:
    name = write_corpus(stored)
    record = {"corpus": name, "sha256": hashlib.sha256(CORPUS.encode()).hexdigest()}
    path = stored.folder / "dataset.json"

    path.write_text(json.dumps(record))
    assert measure_action("ct4.fetch-dataset", stored)["characters"] == len(CORPUS)
    path.write_text(json.dumps({**record, "sha256": "0" * 64}))
    assert measure_action("ct4.fetch-dataset", stored) == {}
