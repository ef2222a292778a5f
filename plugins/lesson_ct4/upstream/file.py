"""
Read a checkpoint file of tt-train, in either of its two formats, into plain data.

``train_nanogpt.py`` writes one pickle: a dictionary with ``step``, ``model_state``, ``tokenizer``,
``model_config`` and ``training_config``. ``ttml.checkpointing``, which ``train.py`` uses, writes a pickle
with ``format``, ``header`` and ``manifest``, followed by one pickle for each array in the manifest: first the
model's, then the optimizer's.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lesson_ct4.upstream.pickle_reader import PickleReader
from lesson_ct4.upstream.plain_data import DAMAGED, Array, Record, shown
from lesson_runner.model.errors import LessonError

MAX_BYTES = 1 << 30
"""Maximum file size. The lesson's model has 43 MB; the file is held in memory."""
MAX_RECORDS = 10_000
ONE_PICKLE, STREAM = "train_nanogpt.py", "ttml.checkpointing"
STREAM_VERSION = 1

_OTHER_FILES = (
    (b"\x1f\x8b", "it is compressed with gzip", "unpack it first: gunzip FILE"),
    (b"PK\x03\x04", "it is a zip archive, the format of PyTorch", "use the .pkl that tt-train saved"),
)


@dataclass(frozen=True, slots=True)
class UpstreamCheckpoint:
    """The parts of a file; only :attr:`parameters` has been checked."""

    format: str
    """:data:`ONE_PICKLE` or :data:`STREAM`."""
    sha256: str
    """Digest of the file."""
    step: object
    tokenizer: object
    model: object
    training: object
    """``None`` if the format does not have it."""
    parameters: dict[str, NDArray[Any]]


def read_upstream(path: Path) -> UpstreamCheckpoint:
    """
    Read a file without executing anything in it.

    Raises:
        LessonError: it is missing, damaged, not from tt-train, or has unsafe content.
    """
    data = _bytes(path)
    reader = PickleReader(data)
    first = reader.read()
    if not isinstance(first, dict) or not ("model_state" in first or "manifest" in first):
        raise LessonError(
            "it is a pickle, but not a checkpoint of tt-train", fix="use the .pkl that tt-train saved"
        )
    digest = hashlib.sha256(data).hexdigest()
    if "model_state" in first:
        parts = dict(first, parameters=_from_state(first["model_state"]))
    else:
        parts = _streamed(first, reader)
    if reader.place != len(data):
        raise LessonError(f"it has {len(data) - reader.place:,} extra bytes at the end", fix=DAMAGED)
    return UpstreamCheckpoint(
        format=ONE_PICKLE if "model_state" in first else STREAM,
        sha256=digest,
        step=parts.get("step"),
        tokenizer=parts.get("tokenizer"),
        model=parts.get("model_config"),
        training=parts.get("training_config"),
        parameters=parts["parameters"],
    )


def _bytes(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            what = "a folder" if stat.S_ISDIR(about.st_mode) else "not a regular file"
            raise LessonError(f"it is {what}", fix="give the path of the .pkl file")
        if about.st_size > MAX_BYTES:
            raise LessonError(
                f"it has {about.st_size:,} bytes, more than the limit of {MAX_BYTES:,}",
                fix="use a checkpoint of the lesson's NanoGPT",
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise LessonError("there is no such file", fix="check the path") from None
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError
        raise LessonError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not data:
        raise LessonError("it is empty", fix=DAMAGED)
    for beginning, what, fix in _OTHER_FILES:
        if data.startswith(beginning):
            raise LessonError(what, fix=fix)
    if data[8:10] == b'{"' and int.from_bytes(data[:8], "little") <= len(data):
        raise LessonError(
            "it is a safetensors file, not a pickle",
            fix="our own checkpoints need no import: lesson ct4 generate --model_path FILE",
        )
    return data


def _from_state(state: object) -> dict[str, NDArray[Any]]:
    """Return the arrays of ``model_state``: ``{"data": array, …}``, or in old files the array itself."""
    if not isinstance(state, dict):
        raise _not_as_written("model_state")
    parameters = {}
    for name, entry in state.items():
        values = _array(entry.get("data") if isinstance(entry, dict) else entry, name)
        given = entry.get("shape", values.shape) if isinstance(entry, dict) else values.shape
        if given != values.shape:
            raise LessonError(f"the shape of {shown(name)} is not the declared one", fix=DAMAGED)
        parameters[name] = values
    return parameters


def _streamed(first: dict[str, Any], reader: PickleReader) -> dict[str, Any]:
    """Return the header's parts and the model's arrays; the optimizer's arrays are read and dropped."""
    header, manifest = first.get("header"), first["manifest"]
    if first.get("format") != STREAM_VERSION:
        raise LessonError(
            f"its format version is {shown(first.get('format'))}, not {STREAM_VERSION}",
            fix="save it with another version of tt-train",
        )
    if not isinstance(header, dict) or not isinstance(manifest, dict):
        raise _not_as_written("the header")
    records = _records(manifest)
    arrays = [(group, name, _array(reader.read(), name)) for group, name in records]
    return dict(header, parameters={name: values for group, name, values in arrays if group == "model"})


def _records(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Return group and name of every array in the order of the stream: depth-first through the manifest."""
    found: list[tuple[str, str]] = []
    waiting = [(group, node) for group, node in reversed(manifest.items())]
    visits = 0
    while waiting:
        group, node = waiting.pop()
        visits += 1
        if visits + len(found) + len(waiting) > MAX_RECORDS:
            raise LessonError(f"its manifest lists more than {MAX_RECORDS:,} parts", fix=DAMAGED)
        leaf = node.get("named_parameters") if isinstance(node, dict) else None
        if isinstance(leaf, dict):
            found += [(group, name) for name in leaf]
        elif isinstance(node, dict):
            waiting += [(group, inner) for inner in reversed(node.values())]
    return found


def _array(value: object, name: str) -> NDArray[Any]:
    if isinstance(value, Array) and value.values is not None:
        return value.values
    what = value.kind if isinstance(value, Record) else shown(value)
    raise LessonError(f"{shown(name)} is {what}, but should be an array", fix=DAMAGED)


def _not_as_written(what: str) -> LessonError:
    return LessonError(f"{what} does not have the form that tt-train writes", fix=DAMAGED)
