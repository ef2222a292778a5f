"""Checkpoints: saved data is restored, and changed files are refused."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesson_ct4.config import config_from
from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_ct4.training.checkpoint import (
    MAX_HEADER_BYTES,
    Checkpoint,
    OptimizerState,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from lesson_runner.model.errors import LessonError


def small() -> Checkpoint:
    numbers = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    half = (numbers / 7).astype(ml_dtypes.bfloat16)
    return Checkpoint(
        step=3,
        steps=5,
        config=config_from({"recipe": "tuned", "max_steps": 5}),
        tokenizer=CharTokenizer('to be "or"\n'),
        dataset={"name": "play", "sha256": "0" * 64},
        session={"name": "emulated", "versions": {"torch": "2.6"}},
        parameters={"NanoGPT/fc/weight": half, "NanoGPT/ln_f_gamma": numbers},
        optimizer=OptimizerState({"exp_avg": {"NanoGPT/fc/weight": half}}, {"steps": 3}),
        losses=np.array([3, 2, 1.5], dtype=np.float32),
        seconds=np.array([0.1, 0.1, 0.2], dtype=np.float32),
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "model.safetensors"
    save_checkpoint(path, small())
    return path


def same(one: Checkpoint, other: Checkpoint) -> bool:
    """Compare the content of two checkpoints, through the bytes they are saved as."""
    return _flat(one) == _flat(other)


def _flat(checkpoint: Checkpoint) -> str:
    arrays = {**checkpoint.parameters, "losses": checkpoint.losses, "seconds": checkpoint.seconds}
    for moment, tensors in checkpoint.optimizer.moments.items() if checkpoint.optimizer else ():
        arrays |= {f"{moment}/{name}": array for name, array in tensors.items()}
    return repr(
        (
            checkpoint.step,
            checkpoint.steps,
            checkpoint.config,
            checkpoint.tokenizer.itos,
            checkpoint.dataset,
            checkpoint.session,
            checkpoint.optimizer and checkpoint.optimizer.numbers,
            sorted((name, str(a.dtype), a.shape, a.tobytes()) for name, a in arrays.items()),
        )
    )


def test_a_checkpoint_comes_back_whole(saved: Path) -> None:
    assert same(small(), load_checkpoint(saved))


def test_bfloat16_is_stored_as_bfloat16(saved: Path) -> None:
    header = json.loads(_header(saved))

    assert header["parameters/NanoGPT/fc/weight"]["dtype"] == "BF16"
    assert header["parameters/NanoGPT/ln_f_gamma"]["dtype"] == "F32"


def _header(path: Path) -> bytes:
    data = path.read_bytes()
    return data[8 : 8 + struct.unpack("<Q", data[:8])[0]]


def test_a_missing_optimizer_is_recorded_as_such(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "x", replace(small(), optimizer=None))

    about = json.loads(json.loads(_header(tmp_path / "x"))["__metadata__"]["about"])
    assert about["optimizer"] == "not saved"
    assert load_checkpoint(tmp_path / "x").optimizer is None


def test_saving_again_replaces_the_file_and_leaves_no_others(saved: Path) -> None:
    save_checkpoint(saved, replace(small(), steps=9))

    assert load_checkpoint(saved).steps == 9
    assert [saved] == list(saved.parent.iterdir())


def test_a_file_that_cannot_be_written_is_an_error(saved: Path) -> None:
    with pytest.raises(LessonError, match="cannot be written"):
        save_checkpoint(saved / "below-a-file", small())


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"there is no checkpoint .*x\.safetensors"):
        load_checkpoint(tmp_path / "x.safetensors")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(saved: Path, data: st.DataObject) -> None:
    content = bytearray(saved.read_bytes())
    index = data.draw(st.integers(0, len(content) - 1))
    content[index] ^= data.draw(st.integers(1, 255))
    broken = saved.with_name("broken")
    broken.write_bytes(content)

    refused, loaded = "", small()
    try:
        loaded = load_checkpoint(broken)  # white space in the header can change without a change of meaning
    except LessonError as error:
        refused = str(error)

    assert "broken is not a usable checkpoint" in refused or same(small(), loaded)
    assert refused or index < 8 + len(_header(saved))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(data=st.data())
def test_a_cut_file_is_refused(saved: Path, data: st.DataObject) -> None:
    content = saved.read_bytes()
    broken = saved.with_name("broken")
    broken.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])

    with pytest.raises(LessonError, match="not a usable checkpoint"):
        load_checkpoint(broken)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(content=st.binary(max_size=100))
def test_any_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(LessonError, match="not a usable checkpoint"):
        load_checkpoint(tmp_path / "x")


def test_a_huge_header_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    length = MAX_HEADER_BYTES + 1
    (tmp_path / "x").write_bytes(struct.pack("<Q", length) + b"[" * length)

    with pytest.raises(LessonError, match="not a safetensors file"):
        load_checkpoint(tmp_path / "x")


@pytest.mark.parametrize(
    "metadata", [None, {"format": "pt"}, {"format": "lesson-ct4-checkpoint", "version": "2"}]
)
def test_other_safetensors_files_are_refused(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    (tmp_path / "x").write_bytes(safetensors.numpy.save({"a": np.zeros(3, np.float32)}, metadata))

    with pytest.raises(LessonError, match="not a usable checkpoint"):
        load_checkpoint(tmp_path / "x")


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "x.pkl",
        "x_final.pkl",
        "x.pkl_final.pkl",
        "x.safetensors",
        "checkpoints/x",
        "~/x.pkl_final.pkl",
        "$HOME/x",
        "C:\\x",
        "/etc/../x.pkl",
        "../../x",
    ],
)
def test_a_lessons_name_is_a_file_in_the_folder(tmp_path: Path, name: str) -> None:
    assert checkpoint_path(tmp_path, name) == tmp_path / "x.safetensors"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("shakespeare_step_500.pkl", "shakespeare_step_500"),
        ("my_final", "my_final"),
        ("v1.2.pkl", "v1.2"),
        ("exp1/final", "exp1/final"),
        ("./exp1//final.pkl_final.pkl", "exp1/final"),
        ("~/nano/x.pkl_final.pkl", "nano/x"),
        ("/tmp/exp1/x", "tmp/exp1/x"),
        ("~/checkpoints/x", "checkpoints/x"),
        ("$EXP1/x", "EXP1/x"),
        ("${EXP2}/x", "EXP2/x"),
        ("a\\b\\x.pkl", "a/b/x"),
        ("a/../b/x", "b/x"),
    ],
)
def test_the_rest_of_a_name_is_kept(tmp_path: Path, name: str, file: str) -> None:
    assert checkpoint_path(tmp_path, name) == tmp_path / f"{file}.safetensors"


@pytest.mark.parametrize(
    "name", ["", " ", "..", "a/", "a/..", "~", ".pkl", "_final.pkl", "a\0b", "a\nb", "x" * 300]
)
def test_what_names_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LessonError, match="is not a valid checkpoint name"):
        checkpoint_path(tmp_path, name)


@given(st.text())
def test_no_name_leaves_the_folder(name: str) -> None:
    folder = Path("/folder")
    try:
        path = checkpoint_path(folder, name)
    except LessonError:
        return

    assert path.is_relative_to(folder)
    assert path != folder
    assert path.resolve() == path


def test_a_damaged_file_is_not_to_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"something of the user's")

    with pytest.raises(LessonError) as caught:
        load_checkpoint(tmp_path / "mine")

    assert caught.value.fix == "train again, or use another checkpoint"
