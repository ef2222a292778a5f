"""
A checkpoint: one safetensors file with everything a run needs to go on, or to generate.

Tensors are named ``parameters/<name>``, ``optimizer/<moment>/<name>`` and ``history/loss``,
``history/seconds``; bfloat16 is stored as bfloat16. The rest is JSON in the file's metadata, with a
sha256 over all of it, so that no changed byte goes unnoticed. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from lesson_ct4.config import TrainConfig, config_from
from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_runner.files.plain import TEMPORARY_SUFFIX, read_plain, real
from lesson_runner.model.errors import LessonError

Array = NDArray[Any]
Tensors = dict[str, Array]

FORMAT = "lesson-ct4-checkpoint"
VERSION = 1
IMPORTED = "imported"
"""The session's name in a checkpoint that tt-train saved, see :mod:`lesson_ct4.upstream.convert`."""
LARGEST = 4 * 1024**3
"""Bytes of a checkpoint; all of it is held in memory."""
MAX_HEADER_BYTES = 4 * 1024 * 1024
"""The lesson's model has a header of 40 kB; a longer one is not ours, and parsing it would cost memory."""

_DTYPES: Mapping[str, Any] = {"BF16": ml_dtypes.bfloat16, "F32": np.float32}
_SAFETENSORS_ERROR: type[Exception] = safetensors.SafetensorError


@dataclass(frozen=True, slots=True)
class OptimizerState:
    """AdamW's moments by name of moment and of parameter, and its plain numbers (``steps``)."""

    moments: dict[str, Tensors]
    numbers: dict[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model after some steps, with what made it."""

    step: int
    """How many updates it has had."""
    steps: int
    """How many the run it was saved in was to have."""
    config: TrainConfig
    tokenizer: CharTokenizer
    dataset: dict[str, Any]
    """``name`` and ``sha256``."""
    session: dict[str, Any]
    """:attr:`lesson_ct4.device.session.Session.info`; of an imported one, where it came from."""
    parameters: Tensors
    """By name; bfloat16 or float32."""
    optimizer: OptimizerState | None
    """``None`` where the backend does not give it out."""
    losses: NDArray[np.float32]
    """Training loss of every step; shape ``[step]``; NaN where it is not known."""
    seconds: NDArray[np.float32]
    """Duration of every step; shape ``[step]``; NaN where it is not known."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What a reader must know of all that this model writes, on whatever it writes."""
        made_by = (self.session.get("name"), self.session.get("kind"))
        return tuple(name for name in (IMPORTED, "emulated", "simulator") if name in made_by)

    @property
    def imported(self) -> bool:
        """Whether tt-train saved it, and not a training of ours."""
        return self.session.get("name") == IMPORTED


def checkpoint_path(folder: Path, name: str) -> Path:
    """
    Return where a checkpoint that a lesson calls ``name`` lies.

    Only the last part of a path counts, and tt-train's endings are dropped: ``~/x.pkl_final.pkl``,
    ``x_final.pkl``, ``x.pkl`` and ``x`` all are ``folder/x.safetensors``.

    Raises:
        LessonError: nothing is left of the name.
    """
    stem = re.split(r"[\\/]", name.strip())[-1]
    stem = stem.removesuffix(".safetensors")
    if stem.endswith(".pkl"):
        stem = stem.removesuffix(".pkl").removesuffix("_final").removesuffix(".pkl")
    if not stem.strip(". ~") or not stem.isprintable() or len(stem) > 200:
        raise LessonError(
            f"{name!r} does not name a checkpoint", fix="give a file name, such as shakespeare.pkl"
        )
    return folder / f"{stem}.safetensors"


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """
    Write a checkpoint aside, then put it in place: a reader never sees half of one.

    Raises:
        LessonError: the file cannot be written.
    """
    about = {
        "step": checkpoint.step,
        "steps": checkpoint.steps,
        "config": checkpoint.config.to_json(),
        "tokenizer": checkpoint.tokenizer.to_json(),
        "dataset": checkpoint.dataset,
        "session": checkpoint.session,
        "optimizer": "not saved" if checkpoint.optimizer is None else checkpoint.optimizer.numbers,
    }
    tensors = {f"parameters/{name}": array for name, array in checkpoint.parameters.items()}
    for moment, arrays in ({} if checkpoint.optimizer is None else checkpoint.optimizer.moments).items():
        tensors |= {f"optimizer/{moment}/{name}": array for name, array in arrays.items()}
    tensors |= {"history/loss": checkpoint.losses, "history/seconds": checkpoint.seconds}
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    text = json.dumps(about, sort_keys=True)
    metadata = {"format": FORMAT, "version": str(VERSION), "about": text, "sha256": _digest(text, tensors)}
    aside = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.unlink(missing_ok=True)
        with aside.open("xb") as file:  # never through a link that lies there
            file.write(safetensors.numpy.save(tensors, metadata))
            file.flush()
            os.fsync(file.fileno())  # else a power cut can leave the new name without the content
        aside.replace(path)
    except OSError as error:
        raise LessonError(
            f"{path} cannot be written: {error.strerror}", fix="check the disk's space and rights"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def load_checkpoint(path: Path) -> Checkpoint:
    """
    Read a checkpoint and check it whole.

    Raises:
        LessonError: the file is missing, is not a checkpoint of this format, or any part of it changed.
    """
    try:
        data = read_plain(real(path), LARGEST)
    except FileNotFoundError:
        raise LessonError(
            f"there is no checkpoint {path}", fix="run the training step that saves it first"
        ) from None
    except OSError as error:
        raise LessonError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return _parsed(data)
    except (
        LessonError,
        _SAFETENSORS_ERROR,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        fix = "train again, or name another checkpoint"
        if path.suffix == ".pkl":
            fix = f"if tt-train saved it: lesson ct4 import {path}"
        raise LessonError(f"{path} is not a usable checkpoint: {error}", fix=fix) from error


def _parsed(data: bytes) -> Checkpoint:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER_BYTES, len(data) - 8):
        raise LessonError("it is not a safetensors file, or it is cut short")
    deserialize: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = safetensors.deserialize
    raw = deserialize(data)
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    if metadata["format"] != FORMAT or metadata["version"] != str(VERSION):
        raise LessonError(f"its format is {metadata['format']!r} version {metadata['version']}")
    tensors = {
        name: np.frombuffer(bytes(entry["data"]), dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in raw
    }
    if metadata["sha256"] != _digest(metadata["about"], tensors):
        raise LessonError("its content does not have the checksum it was saved with")
    about = json.loads(metadata["about"])
    moments: dict[str, Tensors] = {}
    for name in tensors:
        if name.startswith("optimizer/"):
            _, moment, parameter = name.split("/", 2)
            moments.setdefault(moment, {})[parameter] = tensors[name]
    kept = about["optimizer"] != "not saved"
    checkpoint = Checkpoint(
        step=about["step"],
        steps=about["steps"],
        config=config_from(about["config"]),
        tokenizer=CharTokenizer.from_json(about["tokenizer"]),
        dataset=about["dataset"],
        session=about["session"],
        parameters={
            name.removeprefix("parameters/"): array
            for name, array in tensors.items()
            if name.startswith("parameters/")
        },
        optimizer=OptimizerState(moments, about["optimizer"]) if kept else None,
        losses=tensors["history/loss"],
        seconds=tensors["history/seconds"],
    )
    if checkpoint.losses.shape != (checkpoint.step,) or checkpoint.seconds.shape != (checkpoint.step,):
        raise LessonError(f"it has {checkpoint.losses.size} losses for {checkpoint.step} steps")
    return checkpoint


def _digest(about: str, tensors: Tensors) -> str:
    digest = hashlib.sha256(about.encode())
    for name, array in sorted(tensors.items()):
        digest.update(f"\0{name}\0{array.dtype.name}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
