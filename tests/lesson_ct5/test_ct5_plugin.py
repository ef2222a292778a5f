"""The plugin: conformance, blocks, comparing real trainings, and boards with few chips."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lesson_ct4 import plugin as ct4
from lesson_ct5 import plugin
from lesson_ct5.blocks import interpret_block
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Block, Event, Lesson, Location, PlannedStep
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import RunContext, StepContext, Workspace
from lesson_runner.testing import assert_conforms, plan_lesson

TEXT = "ROMEO:\nIt is the east, and Juliet is the sun.\n\n" * 40
TINY = {"n_layer": 1, "n_embd": 32, "n_head": 1, "sequence_length": 32, "dropout": 0.0, "max_steps": 3}


LESSON = "ct5-multi-device-training"


def context(folder: Path, action: str, params: dict[str, Any]) -> StepContext:
    document = Lesson(
        path=Path("lesson.md"),
        text="",
        frontmatter={"id": LESSON},
        positions={},
        blocks=(),
        steps=(),
        skipped=(),
        digest="",
    )
    workspace = Workspace(folder / "space")
    run = RunContext(document, "quick", "emulated", workspace, workspace.runs / "1")
    evidence = run.folder / "evidence" / "x"
    evidence.mkdir(parents=True, exist_ok=True)
    events: list[Event] = []
    return StepContext(
        run, PlannedStep("x", "x", Location(Path("lesson.md"), 1), action, params), evidence, events.append
    )


def test_ct5_conforms() -> None:
    assert_conforms("lesson_ct5.plugin", name="ct5", other_plugins=[ct4])


def block(text: str, language: str = "bash") -> Block:
    return Block(language, text, Location(Path("lesson.md"), 10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lesson ct5 compare a b c\n", [["a", "b", "c"]]),
        ("# both\nlesson ct5 compare a b\nlesson ct5 compare a c\n", [["a", "b"], ["a", "c"]]),
        ("lesson ct5 compare a b --json\n", None),
        ("lesson ct5 compare a b > x\n", None),
        ("lesson ct5 compare a b\nrm -r x\n", None),
        ("lesson ct4 train --max_steps 3\n", None),
        ("echo ct5\n", None),
    ],
)
def test_blocks_that_compare_are_known(text: str, expected: list[list[str]] | None) -> None:
    calls = interpret_block(block(text))

    found = None if calls is None else [call.params["checkpoints"] for call in calls]
    assert found == expected
    assert interpret_block(block(text, "python")) is None


def trained(folder: Path, name: str, chips: int, batch: int, **flags: Any) -> None:
    """Train a tiny model on emulated chips, into the workspace."""
    from lesson_ct4.config import config_from
    from lesson_ct4.data.dataset import load_dataset
    from lesson_ct4.device.session import open_session
    from lesson_ct4.training.checkpoint import checkpoint_path
    from lesson_ct4.training.train import train

    text = folder / "play.txt"
    text.write_text(TEXT)
    save_to = checkpoint_path(Workspace(folder / "space").resolve("checkpoints"), name)
    config = config_from({**TINY, "batch_size": batch, **flags})
    with open_session("emulated", mesh=(1, chips), matmul="fp32-then-round") as session:
        train(config, load_dataset(text, sequence_length=32), session, save_to=save_to)


@pytest.mark.torch
def test_trainings_are_compared(tmp_path: Path) -> None:
    from lesson_ct5.actions import compare

    trained(tmp_path, "one", 1, 4)
    trained(tmp_path, "two", 2, 4)
    step = context(tmp_path, "ct5.compare", {"checkpoints": ["two", "one"]})

    outcome = compare(step.step.params, step)

    found = plugin.lesson_measure(step.step, Evidence(step.evidence, step.run.shared_evidence))
    assert outcome.labels == ("emulated", "other dataset")
    assert outcome.facts["backend"]["kind"] == "emulated"
    assert found["loss_gap"] <= 2 * 2.0**-6  # two adjacent numbers in bfloat16
    assert found["ms_per_step_2"] > 0
    assert "these times say nothing about scaling" in step.lines[-1]
    stored = json.loads((step.evidence / "comparison.json").read_text())
    assert [item["chips"] for item in stored["runs"]] == [2, 1]
    assert len(stored["runs"][0]["sha256"]) == 64
    printed = CliRunner().invoke(
        _app(), ["ct5", "compare", "one", "two", "--workspace", str(tmp_path / "space")]
    )
    assert printed.stdout.startswith("Chips  Batch  Per chip")
    numbers = CliRunner().invoke(
        _app(), ["ct5", "compare", "one", "two", "--json", "--workspace", str(tmp_path / "space")]
    )
    assert json.loads(numbers.stdout)["metrics"] == pytest.approx(found)


def _app() -> Any:
    import typer

    app = typer.Typer()
    app.command("other")(lambda: None)
    plugin.lesson_add_commands(app)
    return app


@pytest.mark.torch
@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"chips": 1, "batch": 4}, "trained on the same number of chips"),
        ({"chips": 2, "batch": 6}, "the same batch size per chip: 4 on 1, 6 on 2"),
        ({"chips": 2, "batch": 8, "learning_rate": 1e-3}, "--learning_rate is 0.0005 and 0.001"),
        ({"chips": 2, "batch": 8, "num_epochs": 1}, "--num_epochs is None and 1"),
    ],
)
def test_trainings_that_cannot_be_compared_are_refused(
    second: dict[str, Any], why: str, tmp_path: Path
) -> None:
    from lesson_ct5.actions import compare

    trained(tmp_path, "one", 1, 4)
    trained(tmp_path, "two", **second)
    step = context(tmp_path, "ct5.compare", {"checkpoints": ["one", "two"]})

    with pytest.raises(LessonError, match=why):
        compare(step.step.params, step)


@pytest.mark.torch
def test_epochs_of_larger_batches_are_shorter_and_refused(tmp_path: Path) -> None:
    from lesson_ct5.actions import compare

    epoch = {"max_steps": None, "num_epochs": 1}
    trained(tmp_path, "one", 1, 8, **epoch)
    trained(tmp_path, "two", 2, 16, **epoch)
    step = context(tmp_path, "ct5.compare", {"checkpoints": ["one", "two"]})

    with pytest.raises(LessonError, match="different numbers of steps: one 7, two 4"):
        compare(step.step.params, step)


@pytest.mark.torch
def test_imported_checkpoints_cannot_be_compared(tmp_path: Path) -> None:
    from lesson_ct4.training.checkpoint import IMPORTED, checkpoint_path, load_checkpoint, save_checkpoint
    from lesson_ct5.actions import compare

    for name in ("one", "two"):
        trained(tmp_path, name, 1, 4)
        path = checkpoint_path(Workspace(tmp_path / "space").resolve("checkpoints"), name)
        save_checkpoint(path, replace(load_checkpoint(path), session={"name": IMPORTED}))
    step = context(tmp_path, "ct5.compare", {"checkpoints": ["one", "two"]})

    with pytest.raises(LessonError, match="one cannot be compared: it was imported from tt-train"):
        compare(step.step.params, step)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("emulated", ("emulated",)), ("simulator", ("simulator",)), ("silicon", ()), ("", ())],
)
def test_results_without_a_board_are_labelled(kind: str, labels: tuple[str, ...]) -> None:
    from lesson_ct5.actions import labels_of

    found = labels_of({"session": {"kind": kind}, "dataset": {"sha256": "of some text"}})

    assert found == (*labels, "other dataset")


@pytest.mark.torch
def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    from lesson_ct5.actions import compare

    step = context(tmp_path, "ct5.compare", {"checkpoints": ["one", "two"]})

    with pytest.raises(LessonError, match="there is no checkpoint for 'one'"):
        compare(step.step.params, step)


def test_the_lesson_skips_its_trainings_on_four_chips(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "lessons" / f"{LESSON}.md").read_text("utf-8")
    plan = plan_lesson(document, tmp_path, plugins=[ct4, plugin])

    trainings = {step.id: step.params for step in plan.steps if step.action == "ct4.train"}

    skipped = {name for name, params in trainings.items() if params.get("too_few_chips") == "skip"}
    assert skipped == {name for name, params in trainings.items() if params["mesh"] == "1x4"}
    assert skipped == {"chips-4", "same-4"}
