"""
The text: read, split, and cut into batches.

The batch of a step is a function of the seed and the step alone, so a run can stop and go on, or
share its first steps with another one, and see the same data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_ct4.training.randomness import Purpose, words
from lesson_runner.files.plain import read_plain, real
from lesson_runner.model.errors import LessonError

Ids = NDArray[np.uint32]
Batch = tuple[Ids, Ids]
"""Token ids ``[B, 1, 1, T]``, and the ids that follow each of them ``[B, T]``."""

VALIDATION_BATCHES = 32
"""At most so many are looked at: with the lesson's model 32,768 characters, a third of what there is."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A text as token ids."""

    name: str
    sha256: str
    """Of the file's bytes."""
    size: int
    """Of the file, in bytes."""
    tokenizer: CharTokenizer
    """Made from the whole text, so that validation has no unknown characters."""
    train: Ids
    """Shape ``[N]``."""
    validation: Ids
    """Shape ``[M]``; the end of the text, which no step trains on."""


def load_dataset(
    path: Path, *, name: str | None = None, validation_fraction: float = 0.1, sequence_length: int = 256
) -> Dataset:
    """
    Read a UTF-8 text file and split it.

    Args:
        name: what to call it in records; the file's name if not given.
        validation_fraction: share of the characters, at the end, that is kept for validation; 0 for none.
        sequence_length: the model's block size, to check that each part holds at least one window.

    Raises:
        LessonError: the file is missing, not UTF-8, or too short.
    """
    try:
        data = read_plain(real(path), LARGEST)
        text = data.decode("utf-8")
    except FileNotFoundError:
        raise LessonError(
            f"{path} does not exist", fix="fetch the data set first, or check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise LessonError(
            f"{path} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}",
            fix="convert it, for example with iconv -t UTF-8",
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
    """Return the batch of ``step``: windows that start anywhere in ``ids``, drawn with replacement."""
    windows = len(ids) - sequence_length
    drawn = words(seed, Purpose.BATCH, step, batch_size)
    # The remainder favours low starts by less than one part in 10^13: nobody will see it.
    return _cut(ids, (drawn % np.uint64(windows)).astype(np.int64), sequence_length)


def validation_batches(ids: Ids, *, batch_size: int, sequence_length: int) -> Iterator[Batch]:
    """Yield the same full batches every time, spread evenly over ``ids``; none if ``ids`` is empty."""
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
