"""Read a text, split it, and cut it into batches."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from lesson_ct4.data.dataset import Dataset, load_dataset, training_batch, validation_batches
from lesson_runner.model.errors import LessonError

TEXT = "To be, or not to be — that is the question.\n" * 50


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    path = tmp_path / "play.txt"
    path.write_text(TEXT, encoding="utf-8")
    return load_dataset(path, sequence_length=32)


def test_a_text_is_split_at_its_last_tenth(dataset: Dataset) -> None:
    joined = [*dataset.train.tolist(), *dataset.validation.tolist()]

    assert dataset.tokenizer.decode(joined) == TEXT
    assert len(dataset.validation) == round(len(TEXT) / 10)


def test_a_data_set_knows_its_file(dataset: Dataset) -> None:
    data = TEXT.encode()

    assert ("play.txt", len(data)) == (dataset.name, dataset.size)
    assert hashlib.sha256(data).hexdigest() == dataset.sha256


def test_without_validation(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(TEXT, encoding="utf-8")

    dataset = load_dataset(tmp_path / "play.txt", validation_fraction=0, sequence_length=32, name="play")

    assert (len(TEXT), 0, "play") == (len(dataset.train), len(dataset.validation), dataset.name)
    assert list(validation_batches(dataset.validation, batch_size=4, sequence_length=32)) == []


def test_a_batch_is_windows_and_what_follows_them(dataset: Dataset) -> None:
    ids, targets = training_batch(dataset.train, seed=1, step=1, batch_size=5, sequence_length=32)

    assert (ids.shape, targets.shape) == ((5, 1, 1, 32), (5, 32))
    assert ids.dtype == targets.dtype == np.uint32
    assert ids.flags.c_contiguous
    assert targets.flags.c_contiguous
    np.testing.assert_array_equal(ids[:, 0, 0, 1:], targets[:, :-1])
    text = dataset.tokenizer.decode(dataset.train.tolist())
    for row, following in zip(ids[:, 0, 0], targets, strict=True):
        assert dataset.tokenizer.decode([*row.tolist(), int(following[-1])]) in text


def test_a_batch_is_a_function_of_seed_and_step(dataset: Dataset) -> None:
    def starts(seed: int, step: int) -> list[list[int]]:
        ids, _ = training_batch(dataset.train, seed=seed, step=step, batch_size=4, sequence_length=32)
        return [list(map(int, row)) for row in ids[:, 0, 0]]

    assert starts(1, 7) == starts(1, 7)
    assert len({str(starts(seed, step)) for seed in range(3) for step in range(5)}) == 15


def test_windows_start_everywhere_and_reach_the_last_character() -> None:
    ids = np.arange(40, dtype=np.uint32)

    _, targets = training_batch(ids, seed=1, step=1, batch_size=500, sequence_length=32)

    assert set(range(32, 40)) == set(targets[:, -1].tolist())


def test_validation_looks_at_the_same_windows_every_time(dataset: Dataset) -> None:
    once, again = (
        list(validation_batches(dataset.validation, batch_size=2, sequence_length=32)) for _ in range(2)
    )

    assert [(2, 1, 1, 32)] * len(once) == [ids.shape for ids, _ in once]
    assert len(once) == 2  # (220 - 32) // 64
    for (ids, targets), (same_ids, same_targets) in zip(once, again, strict=True):
        np.testing.assert_array_equal(ids, same_ids)
        np.testing.assert_array_equal(targets, same_targets)


def test_a_long_text_is_not_validated_on_for_ever() -> None:
    batches = list(validation_batches(np.ones(100_000, np.uint32), batch_size=4, sequence_length=32))

    assert len(batches) == 32


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"no-such\.txt does not exist"):
        load_dataset(tmp_path / "no-such.txt")


def test_a_file_that_is_not_text_says_where(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_bytes(b"abc\xff")

    with pytest.raises(LessonError, match="byte 3 is 0xff"):
        load_dataset(tmp_path / "play.txt")


def test_a_folder_is_not_a_data_set(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="cannot be read"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(("length", "part"), [(0, "training"), (30, "training"), (200, "validation")])
def test_a_text_too_short_for_one_window_is_refused(tmp_path: Path, length: int, part: str) -> None:
    (tmp_path / "play.txt").write_text("x" * length)

    with pytest.raises(LessonError, match=f"characters for {part}") as caught:
        load_dataset(tmp_path / "play.txt", sequence_length=32)

    assert "--sequence_length" in str(caught.value.fix)
