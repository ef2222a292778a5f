"""Several emulated chips learn the same as one chip, with both versions of the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lesson_ct4.conftest import MakeContext
from tests.lesson_ct4.eras import library

from lesson_ct4.actions import generate as act_generate
from lesson_ct4.actions import train as act_train
from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.config import TrainConfig, config_from
from lesson_ct4.data.dataset import Dataset, load_dataset
from lesson_ct4.device.mesh import TOLERANCE, Chips, TooFewChipsError
from lesson_ct4.device.session import open_session
from lesson_ct4.generation.generate import generate
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_ct4.training.train import train
from lesson_runner.model.errors import HardwareError, LessonError
from lesson_runner.plugins.context import Workspace, merge

pytestmark = pytest.mark.torch

TINY = {"n_layer": 1, "n_embd": 32, "n_head": 1, "sequence_length": 32, "batch_size": 8, "dropout": 0.0}
ROUNDING = 2.0**-6
"""For a loss between 2 and 4 in bfloat16: the distance of two adjacent values."""
TEXT = "ROMEO:\nIt is the east, and Juliet is the sun.\n\n" * 40


def tiny(steps: int, **flags: Any) -> TrainConfig:
    return config_from({**TINY, "max_steps": steps, "learning_rate": 1e-2, **flags})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "play.txt"
    path.write_text(TEXT)
    return load_dataset(path, sequence_length=32)


def emulated(chips: int, numerics: Any = "device") -> Any:
    return open_session("emulated", mesh=(1, chips), numerics=numerics, matmul="fp32-then-round")


@pytest.mark.parametrize("chips", [2, 4])
def test_several_chips_learn_what_one_learns(chips: int, dataset: Dataset, tmp_path: Path) -> None:
    results = {}
    for count in (1, chips):
        with emulated(count) as session:
            results[count] = train(tiny(12), dataset, session, save_to=tmp_path / str(count))

    one, several = results[1], results[chips]
    assert np.abs(one.losses - several.losses).max() <= 4 * ROUNDING
    assert one.validation_loss == pytest.approx(several.validation_loss, abs=2 * ROUNDING)
    assert several.losses[-1] < several.losses[0] - 0.5


@pytest.mark.parametrize("chips", [2, 4])
def test_without_rounding_they_learn_the_very_same(chips: int, dataset: Dataset, tmp_path: Path) -> None:
    for count in (1, chips):
        with emulated(count, "fp32") as session:
            train(
                tiny(5, numerics="fp32", clip_grad_norm=0.5), dataset, session, save_to=tmp_path / str(count)
            )
    one, several = (load_checkpoint(tmp_path / str(count)) for count in (1, chips))

    np.testing.assert_allclose(several.losses, one.losses, rtol=1e-5)
    assert several.parameters.keys() == one.parameters.keys()
    for name, array in one.parameters.items():
        np.testing.assert_allclose(several.parameters[name], array, atol=2e-4, err_msg=name)


def state(checkpoint: Checkpoint) -> dict[str, bytes]:
    assert checkpoint.optimizer is not None
    moments = {
        f"{kind}/{name}": array
        for kind, arrays in checkpoint.optimizer.moments.items()
        for name, array in arrays.items()
    }
    arrays = {**checkpoint.parameters, **moments, "losses": checkpoint.losses}
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("era", ["E1", "E2", "E3"])
def test_every_version_says_it_in_its_own_words(
    era: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulated(2) as session:
        train(tiny(4), dataset, session, save_to=tmp_path / "plain")
    found = library(era, monkeypatch)
    found.ttnn.get_num_devices = lambda: 2
    with open_session("ttml", mesh=(1, 2), boards=lambda: 1, importer=found) as session:
        train(tiny(4), dataset, session, save_to=tmp_path / era)

    assert state(load_checkpoint(tmp_path / era)) == state(load_checkpoint(tmp_path / "plain"))


def test_a_training_on_a_mesh_resumes_on_that_mesh(dataset: Dataset, tmp_path: Path) -> None:
    with emulated(2) as session:
        train(tiny(3), dataset, session, save_to=tmp_path / "first")
        train(tiny(7), dataset, session, save_to=tmp_path / "resumed", resume=tmp_path / "first")
        train(tiny(7), dataset, session, save_to=tmp_path / "alone")
    with (
        emulated(4) as session,
        pytest.raises(LessonError, match=r"cannot resume: session\.mesh was \[1, 2\]"),
    ):
        train(tiny(7), dataset, session, save_to=tmp_path / "other", resume=tmp_path / "first")

    assert state(load_checkpoint(tmp_path / "resumed")) == state(load_checkpoint(tmp_path / "alone"))


def test_stages_on_different_meshes_share_no_steps(dataset: Dataset, tmp_path: Path) -> None:
    notes: list[str] = []
    for count in (1, 2):
        with emulated(count) as session:
            result = train(
                tiny(4),
                dataset,
                session,
                save_to=tmp_path / "x",
                cache=tmp_path / "t",
                on_note=notes.append,
            )

    assert result.reused_steps == 0
    assert "session.mesh was [1, 1], is [1, 2]" in notes[-1]


def test_what_was_trained_on_a_mesh_writes_on_one_chip_and_on_all(dataset: Dataset, tmp_path: Path) -> None:
    texts = []
    with emulated(2) as session:
        train(tiny(6), dataset, session, save_to=tmp_path / "x")
        texts += generate(tmp_path / "x", "ROMEO", session, max_new_tokens=6, temperature=0)
    with emulated(1) as session:
        texts += generate(tmp_path / "x", "ROMEO", session, max_new_tokens=6, temperature=0)

    assert len(texts[0]) == 6
    assert texts[0] == texts[1]


def test_chips_that_are_not_kept_in_step_are_found_at_once(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a version whose averaging silently does nothing."""
    monkeypatch.setattr(Chips, "average_gradients", lambda self, parameters: None)

    with (
        emulated(2) as session,
        pytest.raises(HardwareError, match="hold different values of the gradient of"),
    ):
        train(tiny(3), dataset, session, save_to=tmp_path / "x")

    assert not (tmp_path / "x").exists()


def test_copies_may_differ_by_rounding_only() -> None:
    chips = Chips(None, (1, 2))
    value = np.array([[1.0, -2.0]], dtype=np.float32)

    assert chips.one_of(np.concatenate([value, value * 1.01]), "x").tolist() == [[1.0, -2.0]]
    with pytest.raises(HardwareError, match="the 2 chips hold different values of x"):
        chips.one_of(np.concatenate([value, value * (1 + 1.1 * TOLERANCE)]), "x")


@pytest.mark.parametrize(("batch", "sizes"), [(6, "use 4 or 8"), (3, "use 4"), (130, "use 128 or 132")])
def test_a_batch_that_does_not_divide_names_those_that_do(
    batch: int, sizes: str, dataset: Dataset, tmp_path: Path, step: MakeContext
) -> None:
    with emulated(4) as session, pytest.raises(LessonError, match=f"--batch_size {batch} does not") as caught:
        train(tiny(1, batch_size=batch), dataset, session, save_to=tmp_path / "x")
    assert str(caught.value.fix).endswith(sizes)

    action = next(action for action in ACTIONS if action.name == "ct4.train")
    params = merge(action.defaults, {"max_steps": 1, "batch_size": batch, "mesh": "1x4"})
    assert action.inspect is not None
    assert sizes in str(action.inspect(params).problem)
    with pytest.raises(LessonError, match=f"--batch_size {batch} does not"):  # before the text is looked for
        act_train.run(params, step(**params))


def test_more_chips_than_there_are_is_an_error_that_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library("E2", monkeypatch)
    asked: list[str] = []

    def refuse(*_: Any) -> None:
        asked.append("open")
        raise RuntimeError("TT_FATAL: requested_size <= system_size")

    def count() -> int:
        asked.append("count")
        return 2

    found.ttml.open_device_mesh, found.ttnn.get_num_devices = refuse, count

    with pytest.raises(HardwareError, match="1x4 asks for 4 chips, and tt-metal finds 2 chips") as caught:
        open_session("ttml", mesh=(1, 4), boards=lambda: 1, importer=found).__enter__()

    assert "--mesh 1x2" in str(caught.value.fix)
    assert asked == ["open", "count"]  # counting starts tt-metal before it knows the mesh


@pytest.mark.parametrize(
    ("error", "wanted", "skipped"),
    [
        (TooFewChipsError(4, 2), "skip", True),
        (TooFewChipsError(4, 2), "fail", False),
        (TooFewChipsError(4, 2), None, False),
        (HardwareError("lost"), "skip", False),
    ],
)
def test_a_step_can_be_skipped_where_there_are_too_few_chips(
    error: HardwareError,
    wanted: str | None,
    skipped: bool,
    step: MakeContext,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    data = workspace.resolve("data", "play.txt")
    data.parent.mkdir(parents=True)
    data.write_text(TEXT)
    monkeypatch.setattr(act_train, "session_for", refuse)
    action = next(action for action in ACTIONS if action.name == "ct4.train")
    flags = {**TINY, "max_steps": 2, "data_path": "play.txt", "mesh": "1x4"}
    flags |= {"too_few_chips": wanted} if wanted else {}
    context = step(**merge(action.defaults, flags))

    if skipped:
        outcome = act_train.run(context.step.params, context)
        assert outcome.status == "skipped"
        assert "tt-metal finds 2 chips" in outcome.message
    else:
        with pytest.raises(HardwareError) as caught:
            act_train.run(context.step.params, context)
        assert caught.value is error


def test_a_row_of_another_version_opens_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library("E1", monkeypatch)

    for _ in range(2):
        with open_session("ttml", mesh=(1, 2), boards=lambda: 1, importer=found) as session:
            assert session.context.get_device().get_num_devices() == 2
    with pytest.raises(HardwareError, match="cannot be set up again for 4"):
        open_session("ttml", mesh=(1, 4), boards=lambda: 1, importer=found).__enter__()
    with open_session("ttml", boards=lambda: 1, importer=found) as session:
        assert session.context.get_device().get_num_devices() == 1


def test_a_step_of_a_lesson_trains_on_a_mesh_and_says_so(step: MakeContext, workspace: Workspace) -> None:
    data = workspace.resolve("data", "play.txt")
    data.parent.mkdir(parents=True)
    data.write_text(TEXT)
    train_action, generate_action = (
        next(action for action in ACTIONS if action.name == name) for name in ("ct4.train", "ct4.generate")
    )
    flags = {**TINY, "max_steps": 2, "data_path": "play.txt", "mesh": "1x2"}
    context = step(**merge(train_action.defaults, flags))

    outcome = act_train.run(context.step.params, context)
    written = step("two", "ct4.generate", **merge(generate_action.defaults, {"max_new_tokens": 3}))
    text = act_generate.run(written.step.params, written)

    assert outcome.facts["backend"]["mesh"] == [1, 2]
    assert "emulated" in outcome.labels
    assert any("Batch size: 8 (4 on each of 2 chips)" in line for line in context.lines)
    assert text.facts["backend"]["mesh"] == [1, 1]
