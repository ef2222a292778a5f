"""Training: it learns, it is reproducible, and sharing steps between stages does not change results."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lesson_ct4.config import TrainConfig, config_from
from lesson_ct4.data.dataset import Dataset, load_dataset
from lesson_ct4.device.session import Session, open_session
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.train import TrainStart, TrainStep, train
from lesson_runner.model.errors import LessonError, TimedOutError

pytestmark = pytest.mark.torch

TINY = {"n_layer": 1, "n_embd": 32, "n_head": 1, "sequence_length": 32, "batch_size": 2, "warmup_steps": 3}


@pytest.fixture
def session() -> Iterator[Session]:
    with open_session("emulated", matmul="fp32-then-round") as opened:
        yield opened


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "play.txt"
    path.write_text("ROMEO:\nIt is the east, and Juliet is the sun.\n\n" * 20)
    return load_dataset(path, sequence_length=32)


def tiny(steps: int, **flags: Any) -> TrainConfig:
    return config_from({**TINY, "max_steps": steps, **flags})


def state(path: Path) -> dict[str, bytes]:
    """Return everything that training determines: weights, moments and losses, but no timing."""
    checkpoint = load_checkpoint(path)
    assert checkpoint.optimizer is not None
    moments = {
        f"{m}/{n}": a for m, tensors in checkpoint.optimizer.moments.items() for n, a in tensors.items()
    }
    arrays = {**checkpoint.parameters, **moments, "losses": checkpoint.losses}
    return {name: array.tobytes() for name, array in arrays.items()} | {
        "numbers": repr((checkpoint.step, checkpoint.optimizer.numbers)).encode()
    }


@pytest.mark.slow
def test_the_loss_falls(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    config = tiny(80, recipe="tuned", learning_rate=1e-2, batch_size=8, n_layer=2)

    result = train(config, dataset, session, save_to=tmp_path / "x")

    assert result.losses[:5].mean() > 2.8
    assert result.losses[-5:].mean() < 1.5
    assert result.validation_loss is not None
    assert result.validation_loss < 1.5


def test_a_run_tells_what_it_does(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    starts: list[TrainStart] = []
    steps: list[TrainStep] = []

    result = train(
        tiny(4), dataset, session, save_to=tmp_path / "x", on_start=starts.append, on_step=steps.append
    )

    assert [(start.steps, start.reused_steps, start.tokens_per_step) for start in starts] == [(4, 0, 64)]
    assert [(step.step, step.steps) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [step.loss for step in steps] == result.losses.tolist()
    assert steps[0].learning_rate == pytest.approx(5e-4 / 3)
    assert all(step.tokens_per_second == pytest.approx(64 / step.seconds) for step in steps)
    assert result.parameters == starts[0].parameters
    assert result.tokens_per_second is not None
    assert result.tokens_per_second > 0


def test_a_run_leaves_its_evidence(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    result = train(tiny(5), dataset, session, save_to=tmp_path / "x", evidence=tmp_path / "evidence")

    with (tmp_path / "evidence" / "loss.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [float(row["loss"]) for row in rows] == result.losses.tolist()
    assert float(rows[-1]["learning_rate"]) == 5e-4
    summary = json.loads((tmp_path / "evidence" / "training.json").read_text())
    assert summary["steps"] == 5
    assert summary["validation_loss"] == result.validation_loss
    assert summary["dataset"]["sha256"] == dataset.sha256
    assert config_from(summary["config"]) == tiny(5)
    assert summary["vocabulary"]["padded_size"] % 32 == 0


def test_the_lessons_model_has_the_published_number_of_parameters(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    """Counted from two small models: the size of a layer, and of the rest."""
    one = train(tiny(1), dataset, session, save_to=tmp_path / "x").parameters
    two = train(tiny(1, n_layer=2), dataset, session, save_to=tmp_path / "x").parameters
    padded = dataset.tokenizer.padded_vocab_size

    assert two - one == 12 * 32 * 32 + 13 * 32
    assert one - (two - one) == 2 * padded * 32 + 32 * 32 + 2 * 32


@pytest.mark.parametrize("numerics", ["device", "fp32"])
def test_two_runs_are_the_same_to_the_bit(dataset: Dataset, tmp_path: Path, numerics: Any) -> None:
    with open_session("emulated", numerics=numerics, matmul="fp32-then-round") as session:
        for name in ("one", "two"):
            np.random.seed()
            train(tiny(6, numerics=numerics), dataset, session, save_to=tmp_path / name)

    assert state(tmp_path / "one") == state(tmp_path / "two")


def test_another_seed_is_another_run(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    one = train(tiny(3), dataset, session, save_to=tmp_path / "one")
    two = train(tiny(3, seed=1), dataset, session, save_to=tmp_path / "two")

    assert one.losses.tolist() != two.losses.tolist()


@pytest.mark.parametrize("recipe", ["published", "tuned"])
def test_stages_that_share_steps_end_where_they_would_alone(
    session: Session, dataset: Dataset, tmp_path: Path, recipe: str
) -> None:
    stages = [tiny(steps, recipe=recipe, dropout=0.2) for steps in (5, 12, 23)]

    alone = [train(stage, dataset, session, save_to=tmp_path / f"alone{i}") for i, stage in enumerate(stages)]
    shared = [
        train(
            stage,
            dataset,
            session,
            save_to=tmp_path / f"shared{i}",
            cache=tmp_path / "cache",
        )
        for i, stage in enumerate(stages)
    ]

    assert [result.reused_steps for result in shared] == ([0, 5, 12] if recipe == "published" else [0, 4, 10])
    for index, (one, other) in enumerate(zip(alone, shared, strict=True)):
        assert state(tmp_path / f"alone{index}") == state(tmp_path / f"shared{index}")
        assert one.validation_loss == other.validation_loss


def test_a_shorter_stage_after_a_longer_one_shares_nothing_too_long(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    train(tiny(9), dataset, session, save_to=tmp_path / "long", cache=tmp_path / "cache")
    result = train(tiny(6), dataset, session, save_to=tmp_path / "short", cache=tmp_path / "cache")

    assert (result.reused_steps, len(result.losses)) == (0, 6)


def test_the_same_stage_again_trains_nothing_at_a_constant_rate(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    first, again = (
        train(tiny(5), dataset, session, save_to=tmp_path / "x", cache=tmp_path / "cache") for _ in range(2)
    )

    assert (again.reused_steps, again.seconds, again.tokens_per_second) == (5, 0, None)
    assert first.losses.tolist() == again.losses.tolist()
    assert first.validation_loss == again.validation_loss


def test_sharing_is_refused_with_the_reason(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    notes: list[str] = []
    train(tiny(5), dataset, session, save_to=tmp_path / "x", cache=tmp_path / "cache")

    result = train(
        tiny(8, learning_rate=1e-3),
        dataset,
        session,
        save_to=tmp_path / "y",
        cache=tmp_path / "cache",
        on_note=notes.append,
    )

    assert result.reused_steps == 0
    assert notes == ["no steps of an earlier stage or run can be reused: learning_rate was 0.0005, is 0.001"]


def test_a_damaged_shared_state_is_passed_over(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    notes: list[str] = []
    for steps in (3, 5):
        train(
            tiny(steps),
            dataset,
            session,
            save_to=tmp_path / "x",
            cache=tmp_path / "cache",
        )
    next((tmp_path / "cache").glob("*/step_5.safetensors")).write_bytes(b"nothing")

    result = train(
        tiny(8),
        dataset,
        session,
        save_to=tmp_path / "y",
        cache=tmp_path / "cache",
        on_note=notes.append,
    )

    assert result.reused_steps == 3
    assert "not reused" in notes[0]


def test_a_stage_that_ran_out_of_time_resumes_where_it_stopped(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    calls = iter(range(100))

    def four_steps() -> None:
        if next(calls) == 4:
            raise TimedOutError("time is over")

    with pytest.raises(TimedOutError):
        train(
            tiny(9),
            dataset,
            session,
            save_to=tmp_path / "x",
            cache=tmp_path / "cache",
            evidence=tmp_path / "evidence",
            check_time=four_steps,
        )

    assert len((tmp_path / "evidence" / "loss.csv").read_text().splitlines()) == 1 + 4
    result = train(tiny(9), dataset, session, save_to=tmp_path / "x", cache=tmp_path / "cache")
    train(tiny(9), dataset, session, save_to=tmp_path / "alone")
    assert result.reused_steps == 4
    assert state(tmp_path / "x") == state(tmp_path / "alone")


def test_a_long_stage_saves_snapshots(
    session: Session, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lesson_ct4.training.snapshots.STEPS", 4)
    seen: list[list[str]] = []

    def look(step: TrainStep) -> None:
        seen.append(sorted(path.stem for path in (tmp_path / "cache").glob("*/*.safetensors")))

    train(
        tiny(20, recipe="tuned"),
        dataset,
        session,
        save_to=tmp_path / "x",
        cache=tmp_path / "cache",
        on_step=look,
    )

    assert seen[4] == ["snapshot_4"]
    assert seen[8] == ["snapshot_4", "snapshot_8"]
    assert seen[12] == ["snapshot_12", "snapshot_8"]
    assert seen[18] == ["snapshot_12", "snapshot_16", "step_18"]
    assert sorted(path.stem for path in (tmp_path / "cache").glob("*/*.safetensors")) == [
        "result_20",
        "step_18",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("stopped_after", [7, 18, 19])
def test_a_stage_that_was_interrupted_resumes_where_it_stopped(
    session: Session, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_after: int
) -> None:
    monkeypatch.setenv("LESSON_SNAPSHOT_SECONDS", "0")

    def cut(step: TrainStep) -> None:
        if step.step == stopped_after + 1:
            raise KeyboardInterrupt

    config, cache = tiny(20, recipe="tuned"), tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        train(config, dataset, session, save_to=tmp_path / "x", cache=cache, on_step=cut)
    assert not (tmp_path / "x").exists()

    copy = shutil.copytree(cache, tmp_path / "copy")
    result = train(config, dataset, session, save_to=tmp_path / "x", cache=cache)
    assert result.reused_steps == stopped_after
    train(config, dataset, session, save_to=tmp_path / "alone")
    assert state(tmp_path / "x") == state(tmp_path / "alone")
    # A run of another length reuses all steps but the last tenth.
    longer = train(tiny(30, recipe="tuned"), dataset, session, save_to=tmp_path / "longer", cache=copy)
    assert longer.reused_steps == min(stopped_after, 18)


def test_a_final_checkpoint_of_a_constant_rate_resumes_exactly(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    train(tiny(4), dataset, session, save_to=tmp_path / "first")
    result = train(tiny(9), dataset, session, save_to=tmp_path / "resumed", resume=tmp_path / "first")
    train(tiny(9), dataset, session, save_to=tmp_path / "alone")

    assert result.reused_steps == 4
    assert state(tmp_path / "resumed") == state(tmp_path / "alone")


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (
            tiny(10, recipe="tuned"),
            tiny(20, recipe="tuned"),
            "at step 10 of 10 the learning rate has already decayed",
        ),
        (tiny(10), tiny(5), "10 steps, but in a run of 5 steps"),
        (tiny(10), tiny(20, dropout=0.1), r"dropout was 0\.2, is 0\.1"),
    ],
)
def test_resuming_what_would_not_be_exact_is_refused(
    session: Session, dataset: Dataset, tmp_path: Path, first: TrainConfig, second: TrainConfig, why: str
) -> None:
    train(first, dataset, session, save_to=tmp_path / "first")

    with pytest.raises(LessonError, match=f"cannot resume.*{why}") as caught:
        train(second, dataset, session, save_to=tmp_path / "second", resume=tmp_path / "first")

    assert "checkpoint-cache" not in str(caught.value.fix)


def test_a_loss_that_is_no_number_names_the_learning_rate(
    session: Session, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "read", lambda self, tensor: np.full((1, 1, 1, 1), np.nan, np.float32))

    with pytest.raises(LessonError, match="the loss became nan at step 1") as caught:
        train(tiny(3), dataset, session, save_to=tmp_path / "x")

    assert "--learning_rate 0.0002" in str(caught.value.fix)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_validation_loss_that_is_no_number_saves_nothing(
    session: Session, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    validate = TrainingRun.validation_loss

    def broken(run: TrainingRun) -> float | None:
        monkeypatch.setattr(Session, "read", lambda self, tensor: np.full((1, 1, 1, 1), value, np.float32))
        return validate(run)

    monkeypatch.setattr(TrainingRun, "validation_loss", broken)

    with pytest.raises(LessonError, match=f"the validation loss is {value} after step 3") as caught:
        train(tiny(3), dataset, session, save_to=tmp_path / "x", cache=tmp_path / "cache")

    assert "--learning_rate 0.0002" in str(caught.value.fix)
    assert not list(tmp_path.rglob("*.safetensors"))
    assert not (tmp_path / "x").exists()


def test_a_device_without_memory_says_what_to_make_smaller(
    session: Session, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, dropped = TrainingRun.advance, []

    def full(run: TrainingRun) -> tuple[float, float, float]:
        if run.step == 2:
            raise RuntimeError(
                "TT_FATAL @ bank_manager.cpp:439: false\ninfo:\nOut of Memory: Not enough space "
                "to allocate 64 B DRAM buffer across 8 banks, where each bank needs to store 8000000 B"
            )
        return advance(run)

    monkeypatch.setattr(TrainingRun, "advance", full)
    monkeypatch.setattr(type(session.context), "reset_graph", lambda self: dropped.append(1))

    with pytest.raises(LessonError, match=r"memory is full: each bank of DRAM needs 8\.0 MB more") as caught:
        train(tiny(5), dataset, session, save_to=tmp_path / "x", evidence=tmp_path)

    assert "--batch_size" in str(caught.value.fix)
    assert len((tmp_path / "loss.csv").read_text().splitlines()) == 1 + 2
    assert len(dropped) == 3  # after each step, and after the failed one
    assert not (tmp_path / "x").exists()


def test_numerics_that_differ_from_the_sessions_are_refused(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(LessonError, match="--numerics is fp32"):
        train(tiny(1, numerics="fp32"), dataset, session, save_to=tmp_path / "x")


def test_without_validation_text_there_is_no_validation_loss(
    session: Session, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "play.txt").write_text("to be or not to be, " * 20)
    whole = load_dataset(tmp_path / "play.txt", validation_fraction=0, sequence_length=32)

    result = train(tiny(2, validation_fraction=0), whole, session, save_to=tmp_path / "x")

    assert result.validation_loss is None


def test_epochs_are_explained(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    notes: list[str] = []
    config = config_from({**TINY, "num_epochs": 2, "steps_per_epoch": 2})

    result = train(config, dataset, session, save_to=tmp_path / "x", on_note=notes.append)

    assert (result.steps, notes) == (4, ["2 epochs of 2 steps: 4 steps"])


def test_a_checkpoint_knows_where_it_comes_from(session: Session, dataset: Dataset, tmp_path: Path) -> None:
    train(tiny(3), dataset, session, save_to=tmp_path / "x")

    checkpoint: Checkpoint = load_checkpoint(tmp_path / "x")

    assert (checkpoint.step, checkpoint.steps, checkpoint.config) == (3, 3, tiny(3))
    assert checkpoint.session == session.info
    assert checkpoint.dataset == {"name": "play.txt", "sha256": dataset.sha256}
