"""Generating text from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lesson_ct4.config import config_from
from lesson_ct4.data.dataset import load_dataset
from lesson_ct4.device.session import Session, open_session
from lesson_ct4.generation.generate import LoadedModel, generate, load_model
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.train import train
from lesson_runner.model.errors import HardwareError, LessonError

pytestmark = pytest.mark.torch

LINE = "It is the east, and Juliet is the sun.\n"


@pytest.fixture
def session() -> Iterator[Session]:
    with open_session("emulated", matmul="fp32-then-round") as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has memorized one line."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "play.txt").write_text(LINE * 30)
    size = {
        "n_layer": 1,
        "n_embd": 64,
        "n_head": 2,
        "sequence_length": 32,
        "batch_size": 8,
    }
    config = config_from(
        {"recipe": "tuned", "learning_rate": 1e-2, "warmup_steps": 10, "max_steps": 150, **size}
    )
    dataset = load_dataset(folder / "play.txt", sequence_length=32)
    with open_session("emulated", matmul="fp32-then-round") as session:
        train(config, dataset, session, save_to=folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.fixture
def model(trained: Path, session: Session) -> LoadedModel:
    return load_model(trained, session)


@pytest.fixture
def untrained(session: Session, tmp_path: Path) -> Checkpoint:
    """An untrained model of three tiles: every character it writes depends on all previous ones."""
    (tmp_path / "play.txt").write_text(LINE * 30)
    size = {"n_layer": 1, "n_embd": 64, "n_head": 2, "sequence_length": 96, "max_steps": 1}
    dataset = load_dataset(tmp_path / "play.txt", sequence_length=96)
    return TrainingRun(config_from(size), dataset, session, 1).checkpoint()


def test_a_device_that_hangs_says_how_to_get_it_back(
    session: Session, model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: object) -> None:
        raise RuntimeError("TT_THROW @ x.cpp:765\ninfo:\nTIMEOUT: device timeout, potential hang detected")

    monkeypatch.setattr(Session, "read", hang)

    with pytest.raises(HardwareError, match="the device stopped answering: TIMEOUT") as caught:
        generate(model, "J", session, max_new_tokens=3)

    assert "tt-smi -r" in str(caught.value.fix)


def test_what_was_learned_comes_out_past_the_block_size(session: Session, model: LoadedModel) -> None:
    (text,) = generate(model, LINE, session, max_new_tokens=100, temperature=0)

    assert text == (LINE * 3)[:100]


def test_greedy_text_does_not_depend_on_the_seed(session: Session, model: LoadedModel) -> None:
    texts = {generate(model, "J", session, max_new_tokens=20, temperature=0, seed=seed)[0] for seed in (1, 2)}

    assert len(texts) == 1


def test_the_same_seed_gives_the_same_text(session: Session, model: LoadedModel) -> None:
    def text(seed: int) -> str:
        return generate(model, "J", session, max_new_tokens=20, temperature=3, seed=seed)[0]

    assert text(1) == text(1)
    assert text(1) != text(2)


@pytest.mark.slow
def test_a_text_does_not_depend_on_what_was_written_before(session: Session, untrained: Checkpoint) -> None:
    """On the emulation a part of that is cached; beyond the block every position shifts."""

    def text(model: LoadedModel, prompt: str) -> str:
        return generate(model, prompt, session, max_new_tokens=70, temperature=3, seed=3)[0]

    prompts = ("J", "Ju", LINE, "J", LINE[:35], "Ju")
    model = load_model(untrained, session)
    together = [text(model, prompt) for prompt in prompts]

    assert together == [text(load_model(untrained, session), prompt) for prompt in prompts]
    assert together[0] == together[3]
    assert len(set(together)) == 4


def test_a_ttml_that_cannot_cut_out_a_tile_writes_the_same(
    session: Session, untrained: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = generate(untrained, LINE, session, max_new_tokens=70, temperature=3)
    monkeypatch.delattr(session.ttnn, "slice")

    assert generate(untrained, LINE, session, max_new_tokens=70, temperature=3) == [text]


def test_only_the_tile_with_the_last_character_is_fetched(
    session: Session, untrained: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []
    whole = Session.read

    def read(self: Session, tensor: object) -> object:
        values = whole(self, tensor)
        fetched.append(values.shape)
        return values

    monkeypatch.setattr(Session, "read", read)
    generate(untrained, "J", session, max_new_tokens=2, samples=3)

    assert fetched == [(3, 1, 32, 32)] * 2


def test_samples_differ_and_the_first_does_not_depend_on_their_number(
    session: Session, model: LoadedModel
) -> None:
    three = generate(model, "J", session, max_new_tokens=20, temperature=3, samples=3)
    one = generate(model, "J", session, max_new_tokens=20, temperature=3)

    assert len(set(three)) == 3
    assert three[:1] == one


def test_text_is_told_as_it_comes(session: Session, model: LoadedModel) -> None:
    told: dict[int, str] = {0: "", 1: ""}

    def hear(sample: int, text: str) -> None:
        told[sample] += text

    texts = generate(model, "J", session, max_new_tokens=10, temperature=2, samples=2, on_token=hear)

    assert list(told.values()) == texts


def test_only_known_characters_come_out(session: Session, model: LoadedModel) -> None:
    (text,) = generate(model, "J", session, max_new_tokens=60, temperature=100, top_k=0)

    assert len(text) == 60
    assert set(text) <= set(LINE)


def test_an_unknown_character_in_the_prompt_is_named(session: Session, model: LoadedModel) -> None:
    with pytest.raises(LessonError, match=r"'Q'.*column 3"):
        generate(model, "ItQ", session)


def test_an_empty_prompt_starts_from_a_new_line(session: Session, model: LoadedModel) -> None:
    notes: list[str] = []

    (text,) = generate(model, "", session, max_new_tokens=5, temperature=0, on_note=notes.append)

    assert text == "It is"
    assert notes == ["the prompt is empty: starting from a new line"]


@pytest.mark.parametrize(
    ("flag", "value"), [("max_new_tokens", 0), ("samples", 0), ("temperature", -1), ("top_k", -1)]
)
def test_wrong_values_are_refused(session: Session, model: LoadedModel, flag: str, value: int) -> None:
    with pytest.raises(LessonError, match=f"--{flag}"):
        generate(model, "J", session, **{flag: value})  # type: ignore[arg-type]  # one keyword of several types


def test_padding_on_the_right_is_never_seen(session: Session, model: LoadedModel) -> None:
    """The logits at a position are those of the same text in a longer prompt."""
    block = 32
    ids = np.zeros((2, 1, 1, block), dtype=np.uint32)
    ids[0, 0, 0, :10] = model.checkpoint.tokenizer.encode("It is the ")
    ids[1, 0, 0] = model.checkpoint.tokenizer.encode((LINE * 2)[:block])
    with session.no_gradients():
        logits = session.read(model.model(session.ids(ids), session.causal_mask(block)))
        session.context.reset_graph()

    np.testing.assert_array_equal(logits[0, 0, :10], logits[1, 0, :10])


def test_emulated_weights_say_so_wherever_they_write(model: LoadedModel) -> None:
    checkpoint = model.checkpoint
    simulated = replace(checkpoint, session={"name": "ttml", "kind": "simulator"})
    board = replace(checkpoint, session={"name": "ttml", "kind": "silicon"})

    assert [found.labels for found in (checkpoint, simulated, board)] == [("emulated",), ("simulator",), ()]


def test_a_path_will_do(session: Session, trained: Path, model: LoadedModel) -> None:
    by_path = generate(trained, "J", session, max_new_tokens=5)

    assert by_path == generate(model, "J", session, max_new_tokens=5)


def test_time_can_run_out(session: Session, model: LoadedModel) -> None:
    def over() -> None:
        raise LessonError("time is over")

    with pytest.raises(LessonError, match="time is over"):
        generate(model, "J", session, check_time=over)


def test_generating_leaves_gradients_on(session: Session, model: LoadedModel) -> None:
    generate(model, "J", session, max_new_tokens=1)

    assert session.context.get_gradient_mode() == session.ttml.autograd.GradMode.ENABLED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("drop", "is only in the model"),
        ("add", "is only in the checkpoint"),
        ("shape", "has shape"),
        ("kind", "is float32, the model's is bfloat16"),
    ],
)
def test_weights_that_do_not_fit_are_refused(session: Session, trained: Path, change: str, why: str) -> None:
    checkpoint = load_checkpoint(trained)
    arrays = dict(checkpoint.parameters)
    weight = arrays.pop("NanoGPT/fc/weight")
    if change == "add":
        arrays |= {"NanoGPT/fc/weight": weight, "NanoGPT/other": weight}
    elif change == "shape":
        arrays["NanoGPT/fc/weight"] = weight[..., :32]
    elif change == "kind":
        arrays["NanoGPT/fc/weight"] = weight.astype(np.float32)

    with pytest.raises(LessonError, match=why):
        load_model(replace(checkpoint, parameters=arrays), session)
