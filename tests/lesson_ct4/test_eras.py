"""Every version of `ttml`: train a tiny model and generate text through its interface."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lesson_ct4.eras import ERAS, library

from lesson_ct4.config import TrainConfig, config_from
from lesson_ct4.data.dataset import Dataset, load_dataset
from lesson_ct4.device.session import Session, open_session
from lesson_ct4.generation.generate import generate
from lesson_ct4.training import network
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_ct4.training.train import train
from lesson_runner.model.errors import HardwareError, LessonError

pytestmark = pytest.mark.torch

TINY = {
    "n_layer": 1,
    "n_embd": 32,
    "n_head": 1,
    "sequence_length": 32,
    "batch_size": 4,
    "clip_grad_norm": 1.0,
}


def tiny(steps: int) -> TrainConfig:
    return config_from({**TINY, "max_steps": steps, "dropout": 0.1, "warmup_steps": 2})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("data") / "play.txt"
    path.write_text("ROMEO:\nIt is the east, and Juliet is the sun.\n\n" * 20)
    return load_dataset(path, sequence_length=32)


def trained(dataset: Dataset, session: Session, folder: Path) -> tuple[Checkpoint, list[str]]:
    train(tiny(3), dataset, session, save_to=folder / "x", cache=folder / "cache")
    train(tiny(5), dataset, session, save_to=folder / "y", cache=folder / "cache")
    return load_checkpoint(folder / "y"), generate(folder / "y", "ROMEO", session, max_new_tokens=6)


@pytest.mark.parametrize("era", ERAS)
def test_every_version_trains_and_writes_the_same(
    era: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session("emulated", matmul="fp32-then-round") as session:
        expected, text = trained(dataset, session, tmp_path / "plain")

    with open_session("ttml", boards=lambda: 1, importer=library(era, monkeypatch)) as session:
        found, written = trained(dataset, session, tmp_path / era)

    assert found.losses.tolist() == expected.losses.tolist()
    for name, array in expected.parameters.items():
        assert found.parameters[name].tobytes() == array.tobytes(), name
    assert written == text
    assert (found.optimizer is None) == (era == "E1-bare")


def test_a_library_without_the_model_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HardwareError, match=r"too old: it has no models\.nanogpt") as caught:
        open_session("ttml", boards=lambda: 1, importer=library("E0", monkeypatch)).__enter__()

    assert "tt-metal to v0.67.0 or later" in str(caught.value.fix)


def test_clipping_is_found_where_it_was_first(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    early = library("E1", monkeypatch)
    early.ttml.autograd.clip_grad_norm = early.ttml.core.clip_grad_norm
    del early.ttml.core.clip_grad_norm

    with open_session("ttml", boards=lambda: 1, importer=early) as session:
        model = network.build_model(session, tiny(1), 96)
        network.clip_gradients(session, model.parameters(), 1.0)
        del early.ttml.autograd.clip_grad_norm
        with pytest.raises(LessonError, match="cannot clip"):
            network.clip_gradients(session, model.parameters(), 1.0)
