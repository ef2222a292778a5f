"""
Read a text, split it, and cut it into batches.

The batch of a step is a function of the seed and the step only. A run therefore sees the same data after it
is resumed, and runs can share their first steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.data.text import decode
from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_ct4.training.randomness import Purpose, words
from lesson_runner.files.plain import read_plain, real
from lesson_runner.model.errors import LessonError

Ids = NDArray[np.uint32]
Batch = tuple[Ids, Ids]
"""Input token ids ``[B, 1, 1, T]``, and the target ids that follow each of them ``[B, T]``."""

VALIDATION_BATCHES = 32
"""Maximum number of batches: 32,768 characters for the lesson's model, a third of the held-out text."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A text as token ids."""

    name: str
    sha256: str
    """Digest of the file."""
    size: int
    """Size of the file in bytes."""
    tokenizer: CharTokenizer
    """Built from the whole text, so that the validation part has no unknown characters."""
    train: Ids
    """Shape ``[N]``."""
    validation: Ids
    """Shape ``[M]``; the end of the text, which is never trained on."""


def load_dataset(
    path: Path, *, name: str | None = None, validation_fraction: float = 0.1, sequence_length: int = 256
) -> Dataset:
    """
    Read a UTF-8 text file, as :func:`lesson_ct4.data.text.decode` does, and split it.

    Args:
        name: its name in records; by default the file name.
        validation_fraction: share of the characters, at the end, that is held out for validation; 0 for none.
        sequence_length: the model's block size; each part must have at least one window of it.

    Raises:
        LessonError: the file is missing, not UTF-8, or too short.
    """
    try:
        data = read_plain(real(path), LARGEST)
        text = decode(data)
    except FileNotFoundError:
        raise LessonError(
            f"{path} does not exist", fix="fetch the data set first, or check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise LessonError(
            f"{path} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}",
            fix="convert it to UTF-8, for example with iconv -t UTF-8",
        ) from None
    except OSError as error:
        raise LessonError(f"{path} cannot be read: {error.strerror}") from None
    held_out = round(len(text) * validation_fraction)
    _require(path, "training", len(text) - held_out, sequence_length)
    if validation_fraction:
        _require(path, "validation", held_out, sequence_length)
    tokenizer = CharTokenizer(text)
    ids = _encoded(text, tokenizer)
    return Dataset(
        name=name or path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        tokenizer=tokenizer,
        train=ids[: len(ids) - held_out],
        validation=ids[len(ids) - held_out :],
    )


def training_batch(ids: Ids, *, seed: int, step: int, batch_size: int, sequence_length: int) -> Batch:
    """Return the batch of ``step``: random windows of ``ids``, drawn with replacement."""
    windows = len(ids) - sequence_length
    drawn = words(seed, Purpose.BATCH, step, batch_size)
    # The modulo favours low starts by less than one part in 10^13, which is negligible.
    return _cut(ids, (drawn % np.uint64(windows)).astype(np.int64), sequence_length)


def validation_batches(ids: Ids, *, batch_size: int, sequence_length: int) -> Iterator[Batch]:
    """Yield full batches, spread evenly over ``ids`` and always the same; none if ``ids`` is empty."""
    if not len(ids):
        return
    windows = len(ids) - sequence_length
    count = min(VALIDATION_BATCHES, max(1, windows // (batch_size * sequence_length)))
    starts = np.linspace(0, windows - 1, count * batch_size).astype(np.int64)
    for first in range(0, len(starts), batch_size):
        yield _cut(ids, starts[first : first + batch_size], sequence_length)


def _cut(ids: Ids, starts: NDArray[np.int64], length: int) -> Batch:
    rows = ids[starts[:, None] + np.arange(length + 1)]  # [B, T + 1]
    inputs = np.ascontiguousarray(rows[:, None, None, :-1])
    return inputs, np.ascontiguousarray(rows[:, 1:])


def _encoded(text: str, tokenizer: CharTokenizer) -> Ids:
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    alphabet = np.array([ord(character) for character in tokenizer.characters], dtype=np.uint32)
    return (np.searchsorted(alphabet, points) + 1).astype(np.uint32)


def _require(path: Path, part: str, characters: int, sequence_length: int) -> None:
    if characters <= sequence_length:
        raise LessonError(
            f"{path} leaves {characters} characters for {part}; "
            f"one window of --sequence_length {sequence_length} needs {sequence_length + 1}",
            fix="use a longer text, a shorter --sequence_length, or another --validation_fraction",
        )
