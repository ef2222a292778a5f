"""Diagnoses from stored curves and texts, regardless of what made them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lesson_ct4.diagnosis.diagnose import diagnose
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Diagnosis, Location, PlannedStep, StepResult

EXPLODED = [4.5] * 20 + [9.0] * 20
STUCK = [4.5] * 400
FREQUENCIES = [4.5 - 1.2 * min(step / 50, 1) for step in range(400)]
PLATEAU = [4.5 - 2.5 * min(step / 100, 1) for step in range(800)]
JUMPED = [3.0] * 60 + [3.4] * 20
PLAY = "ROMEO:\nBut soft, what light through yonder window breaks?\n\n" * 400


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    (tmp_path / "_shared").mkdir()
    (tmp_path / "one").mkdir()
    return Evidence(tmp_path / "one", tmp_path / "_shared", "")


def losses(evidence: Evidence, values: Sequence[float]) -> None:
    rows = [f"{step},{loss},0.1" for step, loss in enumerate(values, 1)]
    (evidence.folder / "loss.csv").write_text("\n".join(["step,loss,seconds", *rows, ""]))


def result(action: str = "ct4.train", status: Any = "passed", message: str = "", **params: Any) -> StepResult:
    step = PlannedStep(
        id="one",
        title="",
        location=Location(Path("a.md"), 1),
        action=action,
        params={"learning_rate": 0.003, **params},
    )
    return StepResult(step, status, message, metrics={"repetition": 0.9})


def only(found: Sequence[Diagnosis]) -> tuple[str, str]:
    (diagnosis,) = found
    return diagnosis.id, diagnosis.command.rpartition(" ")[2]


@pytest.mark.parametrize(
    ("curve", "name", "command"),
    [
        (EXPLODED, "loss-exploded", "one.learning_rate=0.001"),
        (STUCK, "loss-stuck", "one.learning_rate=0.03"),
        (FREQUENCIES, "nothing-learned", "one.learning_rate=0.009"),
        (PLATEAU, "plateau", "one.learning_rate=0.001"),
    ],
)
def test_a_curve(evidence: Evidence, curve: Sequence[float], name: str, command: str) -> None:
    losses(evidence, curve)
    (evidence.shared / "corpus-1.txt").write_text(PLAY)
    assert only(diagnose(result(), evidence)) == (name, command)
    (found,) = diagnose(result(learning_rate="fast"), evidence)
    assert found.command == ""
    (found,) = diagnose(result(learning_rate=True), evidence)
    assert found.command == ""


def test_a_fault_that_is_named_explains_its_curve(evidence: Evidence) -> None:
    losses(evidence, EXPLODED)
    found = diagnose(result(status="failed", message="out of memory"), evidence)
    assert [item.id for item in found if item.id == "loss-exploded"] == []


def test_a_rise_counts_where_training_went_on(evidence: Evidence) -> None:
    losses(evidence, JUMPED)
    summary = evidence.folder / "training.json"
    summary.write_text(json.dumps({"reused_steps": 60}))
    assert only(diagnose(result(resume="tiny"), evidence))[0] == "spike-after-resume"
    assert diagnose(result(), evidence) == []
    for text in ('{"reused_steps": "60"}', "[]", "{", "[" * 100_000):
        summary.write_text(text)
        assert diagnose(result(resume="tiny"), evidence) == []


@pytest.mark.parametrize("dataset", [{"sha256": "b" * 64}, {"sha256": 3}, "b", None])
def test_which_text_it_was(evidence: Evidence, dataset: Any) -> None:
    """Among several texts, use the one in the training summary; otherwise do not guess."""
    losses(evidence, [2.0] * 10)
    (evidence.shared / f"corpus-{'a' * 16}.txt").write_text(PLAY)
    (evidence.shared / f"corpus-{'b' * 16}.txt").write_text("x" * 20_000)
    (evidence.folder / "training.json").write_text(json.dumps({"dataset": dataset}))
    known = isinstance(dataset, dict) and isinstance(dataset["sha256"], str)
    found = diagnose(result(), evidence)
    assert [item.title for item in found] == (["The text is the wrong kind"] if known else [])


def test_a_text_that_cannot_be_read(evidence: Evidence) -> None:
    losses(evidence, [2.0] * 10)
    (evidence.shared / "corpus-1.txt").write_bytes(b"\xff" * 20_000)
    assert diagnose(result(), evidence) == []
    assert diagnose(result("shell"), evidence) == []


def test_circles_of_a_board(evidence: Evidence) -> None:
    (found,) = diagnose(result("ct4.generate", temperature=0.8), evidence)
    assert "tt-metal v0.66.0-rc5 to rc7" in found.explanation
    assert found.command == "lesson doctor"
