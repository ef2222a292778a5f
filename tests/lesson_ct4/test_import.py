"""Importing checkpoints of tt-train, and the errors for those that cannot be imported."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.lesson_ct4 import upstream_files as theirs

from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_ct4.upstream.convert import import_upstream
from lesson_runner.model.errors import LessonError


def imported(tmp_path: Path, value: Any, **how: Any) -> Any:
    return import_upstream(theirs.written(tmp_path / "x_final.pkl", value, **how))


def refused(tmp_path: Path, value: Any, **how: Any) -> LessonError:
    path = theirs.written(tmp_path / "x_final.pkl", value, **how)
    with pytest.raises(LessonError) as caught:
        import_upstream(path)
    assert str(caught.value).startswith(f"{path} cannot be imported: ")
    assert caught.value.fix
    return caught.value


def same(ours: dict[str, Any], state: dict[str, Any]) -> bool:
    return ours.keys() == state.keys() and all(
        ours[name].dtype == ml_dtypes.bfloat16
        and ours[name].shape == state[name].shape
        and (ours[name].astype(np.float32) == np.asarray(state[name], np.float32)).all()
        for name in state
    )


@pytest.mark.parametrize("core", [None, "numpy.core", "numpy._core"])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("version", [theirs.first_version, theirs.later_version])
def test_every_protocol_of_pickle_and_every_numpy(
    tmp_path: Path, version: Any, protocol: int, core: str
) -> None:
    checkpoint = imported(tmp_path, version(), protocol=protocol, core=core).checkpoint

    assert same(checkpoint.parameters, theirs.weights())
    assert checkpoint.tokenizer.itos == theirs.tokenizer().itos
    assert checkpoint.step == 1500


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [np.float32, ml_dtypes.bfloat16])
def test_a_streamed_checkpoint(tmp_path: Path, protocol: int, kind: Any) -> None:
    state = {name: values.astype(kind) for name, values in theirs.weights(seed=3).items()}
    checkpoint = imported(tmp_path, theirs.stream(protocol=protocol, state=state)).checkpoint

    assert same(checkpoint.parameters, state)
    assert (checkpoint.step, checkpoint.optimizer) == (700, None)
    assert checkpoint.session["format"] == "ttml.checkpointing"
    unknown = set(checkpoint.session["unknown"])
    assert {"batch_size", "learning_rate", "seed", "beta2", "decay"} <= unknown
    assert not unknown & {"n_layer", "dropout", "bias", "sequence_length"}


def test_what_the_first_version_tells_of_the_training(tmp_path: Path) -> None:
    checkpoint = imported(tmp_path, theirs.first_version()).checkpoint
    config = checkpoint.config

    assert (config.n_layer, config.n_embd, config.n_head, config.sequence_length) == (1, 32, 1, 32)
    assert (config.dropout, config.bias, config.validation_fraction) == (0.2, True, 0.0)
    assert (config.batch_size, config.seed, config.max_steps) == (128, 42, 5000)
    assert (config.learning_rate, config.weight_decay, config.clip_grad_norm) == (3e-4, 0.02, 0.5)
    assert (config.decay, config.warmup_steps) == ("none", 0)  # it computed a schedule, but never applied it
    assert checkpoint.session["unknown"] == []
    assert checkpoint.session["upstream"]["training"]["data_path"] == "data/shakespeare.txt"
    assert (checkpoint.steps, checkpoint.optimizer, checkpoint.labels) == (5000, None, ("imported",))
    assert checkpoint.losses.shape == (1500,)
    assert np.isnan(checkpoint.losses).all()


def test_what_a_later_version_does_not_tell(tmp_path: Path) -> None:
    found = imported(tmp_path, theirs.later_version())

    assert set(found.checkpoint.session["unknown"]) == {
        *("learning_rate", "beta1", "beta2", "epsilon", "weight_decay"),
        *("warmup_steps", "decay", "min_lr_ratio"),
    }
    assert "learning_rate" in found.notes[-1]
    assert (found.checkpoint.config.batch_size, found.checkpoint.config.clip_grad_norm) == (32, None)


def test_what_is_saved_is_what_was_read(tmp_path: Path) -> None:
    checkpoint = imported(tmp_path, theirs.first_version()).checkpoint
    save_checkpoint(tmp_path / "x.safetensors", checkpoint)
    loaded = load_checkpoint(tmp_path / "x.safetensors")

    assert same(loaded.parameters, theirs.weights())
    assert (loaded.config, loaded.session, loaded.labels) == (
        checkpoint.config,
        checkpoint.session,
        ("imported",),
    )


@pytest.mark.parametrize("kept", ["NanoGPT/fc/weight", "NanoGPT/tok_emb/weight"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_shared_table_is_written_twice(tmp_path: Path, kept: str, protocol: int) -> None:
    state = theirs.weights()
    del state[({"NanoGPT/fc/weight", "NanoGPT/tok_emb/weight"} - {kept}).pop()]
    value = theirs.later_version(tying=theirs.WeightTying.Enabled, weights=state)
    found = imported(tmp_path, value, protocol=protocol)

    parameters = found.checkpoint.parameters
    assert (parameters["NanoGPT/fc/weight"] == parameters["NanoGPT/tok_emb/weight"]).all()
    assert "weight_tying" in found.notes[0]


def test_an_enumeration_that_was_pickled_by_name(tmp_path: Path) -> None:
    state = theirs.weights()
    del state["NanoGPT/tok_emb/weight"]
    named = theirs.filled(theirs.ModelConfig, **theirs.MODEL, bias=True, weight_tying=ByName())

    assert imported(tmp_path, theirs.first_version(weights=state, model_config=named)).notes


class ByName:
    """Pickled as ``getattr(WeightTyingType, "Enabled")``, as some versions of Python pickle enumerations."""

    def __reduce__(self) -> Any:
        return getattr, (theirs.WeightTying, "Enabled")


def test_layer_norms_without_bias(tmp_path: Path) -> None:
    config = theirs.filled(theirs.ModelConfig, **theirs.MODEL, bias=False)
    state = theirs.weights(bias=False)
    checkpoint = imported(tmp_path, theirs.first_version(weights=state, model_config=config)).checkpoint

    assert same(checkpoint.parameters, state)
    assert checkpoint.config.bias is False


def test_old_files_have_bare_arrays_and_any_order_in_memory(tmp_path: Path) -> None:
    state = {name: np.asfortranarray(values) for name, values in theirs.weights().items()}
    for protocol in (2, 5):
        assert same(
            imported(
                tmp_path, theirs.first_version(model_state=state), protocol=protocol
            ).checkpoint.parameters,
            state,
        )


def test_weights_that_bfloat16_cannot_hold_are_rounded_and_that_is_told(tmp_path: Path) -> None:
    state = theirs.weights()
    state["NanoGPT/fc/weight"] = state["NanoGPT/fc/weight"] + np.float32(1e-4)
    found = imported(tmp_path, theirs.first_version(weights=state))

    assert found.notes == ("1 of 17 parameters were rounded to bfloat16, as tt-train does too",)
    expected = state["NanoGPT/fc/weight"].astype(ml_dtypes.bfloat16)
    assert (found.checkpoint.parameters["NanoGPT/fc/weight"] == expected).all()


def test_a_step_may_be_a_number_of_numpy(tmp_path: Path) -> None:
    assert imported(tmp_path, theirs.first_version(step=np.int64(20))).checkpoint.step == 20
    assert imported(tmp_path, theirs.first_version(step=0)).checkpoint.steps == 5000


def model(**changed: Any) -> Any:
    return theirs.first_version(model_config=theirs.filled(theirs.ModelConfig, **{**theirs.MODEL, **changed}))


def state(**changed: Any) -> Any:
    """Return a checkpoint with some parameters changed, or removed if ``None`` is given."""
    made = theirs.weights() | {f"NanoGPT/{name}": value for name, value in changed.items()}
    return theirs.first_version(weights={name: value for name, value in made.items() if value is not None})


def counted(**fields: Any) -> Any:
    made = theirs.tokenizer()
    vars(made).update(fields)
    return theirs.first_version(tokenizer=made)


ITOS = theirs.tokenizer().itos


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (model(embedding_dim=64), "shape [1, 1, 64, 32], but its configuration requires [1, 1, 64, 64]"),
        (model(embedding_dim=True), "its embedding_dim is True, but should be a whole number"),
        (model(embedding_dim=33), "but its configuration requires [1, 1, 64, 33]"),
        (model(embedding_dim=2**60), "but its configuration requires [1, 1, 64, 1152921504606846976]"),
        (model(num_heads=3), "--n_head 3 does not divide"),
        (model(num_blocks=2), "the parameter NanoGPT/blocks/1/attention/out_linear/bias is missing"),
        (model(num_blocks=10**15), "too few for its 1000000000000000 blocks"),
        (model(num_blocks="1"), "its num_blocks is '1'"),
        (model(max_sequence_length=64), "NanoGPT/pos_emb/weight has the shape [1, 1, 32, 32]"),
        (model(dropout_prob=1.5), "--dropout is 1.5"),
        (model(dropout_prob=[0.2]), "its dropout is a list"),
        (model(bias=False), "the parameter NanoGPT/blocks/0/ln1/beta does not belong to the model"),
        (model(vocab_size=96), "a vocabulary of 96, its tokenizer one of 39"),
        (model(model_type="llama"), "its model_type is 'llama', not 'gpt2'"),
        (model(positional_embedding_type="fixed"), "its positional_embedding_type is 'fixed'"),
        (state(**{"fc/weight": None}), "the parameter NanoGPT/fc/weight is missing"),
        (state(**{"wte/weight": np.ones(3)}), "the parameter NanoGPT/wte/weight does not belong"),
        (state(**{"fc/weight": np.ones((32, 32), np.float32)}), "NanoGPT/fc/weight has the shape [32, 32]"),
        (state(**{"fc/weight": np.ones((1, 1, 64, 32), np.int32)}), "a parameter is int32"),
        (state(**{"fc/weight": np.full((1, 1, 64, 32), np.nan)}), "has values that are not finite"),
        (state(**{"fc/weight": np.full((1, 1, 64, 32), 1e300)}), "has values that are not finite"),
        (theirs.first_version(model_state=[1]), "model_state does not have the form"),
        (theirs.first_version(model_state={"a": {"data": "text"}}), "'a' is 'text', but should be an array"),
        (theirs.first_version(model_state={"a": theirs.tokenizer()}), "CharTokenizer, but should be"),
        (
            theirs.first_version(model_state={"a": {"data": np.ones(3), "shape": (4,)}}),
            "the shape of 'a' is not the declared one",
        ),
        (theirs.first_version(step=-1), "its step is -1"),
        (theirs.first_version(step="many"), "its step is 'many'"),
        (theirs.first_version(step=10**12), "its step is 1000000000000"),
        (theirs.first_version(model_config=None), "it has no model_config"),
        (theirs.first_version(model_config=theirs.tokenizer()), "it has no model_config"),
        (theirs.first_version(tokenizer=None), "it was trained on tokenized data"),
        (theirs.first_version(tokenizer="abc"), "its tokenizer is not tt-train's CharTokenizer"),
        (theirs.first_version(tokenizer=theirs.tokenizer("abc" * 20 + "é")), "its tokenizer one of 7"),
        (counted(itos=None), "its tokenizer has no list of characters"),
        (counted(itos=["<PAD>", "ab", "<BEG>", "<END>"]), "tokens that are not single characters"),
        (counted(itos=["<PAD>", "\ud800", "<BEG>", "<END>"]), "tokens that are not single characters"),
        (counted(itos=ITOS[1:]), "its tokens are not <PAD>"),
        (counted(itos=[ITOS[0], *ITOS[-3:0:-1], *ITOS[-2:]]), "its tokens are not <PAD>"),
        (counted(stoi={}), "its tokenizer's two tables contradict each other"),
        (counted(stoi=dict.fromkeys(ITOS, 1)), "its tokenizer's two tables contradict each other"),
        (theirs.stream(form=2), "its format version is 2, not 1"),
        (theirs.stream(spec=theirs.filled(theirs.LlamaSpec), header={"tokenizer": None}), "no tokenizer"),
        ({"weights": 1}, "it is a pickle, but not a checkpoint of tt-train"),
        ([1, 2], "it is a pickle, but not a checkpoint of tt-train"),
        ({"manifest": 3, "format": 1}, "the header does not have the form"),
        (b"", "it is empty"),
        (b"First Citizen:\nBefore we proceed any further, hear me speak.\n", "not a pickle, or damaged"),
        (b"\xff\xfe", "it is not a pickle, or it is damaged: byte 0 is 0xff"),
        (gzip.compress(b"x", mtime=0), "it is compressed with gzip"),
        (theirs.pickled(theirs.first_version()) + b"more", "it has 4 extra bytes"),
        (theirs.stream()[:-1], "it is cut short"),
        (theirs.pickled(theirs.first_version())[:-1], "it is cut short"),
        (theirs.pickled(theirs.first_version())[:5000], "it is cut short"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_is_explained(tmp_path: Path, value: Any, message: str) -> None:
    assert message in str(refused(tmp_path, value))


def test_the_streams_last_record_may_not_be_missing(tmp_path: Path) -> None:
    whole = theirs.stream()
    last = theirs.pickled(list(theirs.weights().values())[-1])
    assert whole.endswith(last)

    assert "it is cut short" in str(refused(tmp_path, whole[: -len(last)]))


def test_other_things_than_a_pickle(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "torch.pkl", "w") as archive:
        archive.writestr("data", b"x")
    found = imported(tmp_path, theirs.first_version())
    save_checkpoint(tmp_path / "ours.safetensors", found.checkpoint)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 1 << 31)

    for name, message in (
        ("torch.pkl", "it is a zip archive"),
        ("ours.safetensors", "it is a safetensors file"),
        ("folder", "it is a folder"),
        ("pipe", "it is not a regular file"),
        ("large", "it has 2,147,483,648 bytes"),
        ("missing", "there is no such file"),
        ("a\0b", "it cannot be read"),
        ("x" * 300, "it cannot be read: File name too long"),
    ):
        with pytest.raises(LessonError, match=message):
            import_upstream(tmp_path / name)
