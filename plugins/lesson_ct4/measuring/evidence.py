"""
Compute metrics from stored files only.

The runner calls this to judge a step. Verifying a record calls it again on the same files. A missing or
damaged file gives no metrics and raises no error.
"""

from __future__ import annotations

import csv
import hashlib
import math
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.data.text import decode
from lesson_runner.files.evidence import Evidence
from lesson_tenstorrent.findings import measure as measure_checks

if TYPE_CHECKING:
    from lesson_ct4.measuring.corpus import Corpus

WINDOW = 50
"""Number of steps to average the loss over: the loss of single steps varies by 0.06 between batches."""
SUMMARY = ("steps", "reused_steps", "parameters", "seconds", "tokens_per_second", "validation_loss")
"""Values copied unchanged from ``training.json``."""


def measure_action(action: str, evidence: Evidence) -> dict[str, float]:
    """Return the metrics of a step of one of our actions; empty for other actions."""
    measure = {
        "ct4.train": measure_training,
        "ct4.generate": measure_samples,
        "ct4.fetch-dataset": measure_dataset,
        "ct4.check-environment": measure_environment,
    }.get(action)
    if measure is None:
        return {}
    try:
        return finite(measure(evidence))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error, RecursionError):
        return {}


def measure_training(evidence: Evidence) -> dict[str, float]:
    """
    Return the losses from ``loss.csv`` and everything else from ``training.json``; either can be missing.

    ``improvement`` is the loss of a uniform guess over the model's outputs minus ``final_loss``. Training
    starts at the uniform guess: ln 96 = 4.56 for tiny Shakespeare.
    """
    metrics: dict[str, float] = {}
    losses, seconds = read_columns(evidence, "loss", "seconds")
    if losses:
        metrics |= loss_metrics(losses)
    if seconds:
        # Reused steps count too: this is the time that the stage would take by itself.
        metrics["training_seconds"] = math.fsum(seconds)
    try:
        summary = evidence.read_json("training.json")
    except (OSError, ValueError):
        summary = None
    if isinstance(summary, Mapping):
        metrics |= {name: summary[name] for name in SUMMARY if _is_number(summary.get(name))}
    if losses:
        # The curve is better evidence of the number of steps than the summary.
        metrics["steps"] = len(losses)
        outputs = _outputs(summary)
        if outputs:
            metrics["improvement"] = math.log(outputs) - metrics["final_loss"]
    if "validation_loss" in metrics:
        metrics["bits_per_character"] = metrics["validation_loss"] / math.log(2)
    return metrics


def _outputs(summary: Any) -> int:
    """Return the number of the model's outputs; 0 if it is unknown."""
    vocabulary = summary.get("vocabulary") if isinstance(summary, Mapping) else None
    size = vocabulary.get("padded_size") if isinstance(vocabulary, Mapping) else None
    return size if isinstance(size, int) and size > 1 else 0


def final_loss(losses: Sequence[float]) -> float:
    """Return the mean loss of the last :data:`WINDOW` steps, or of all steps if there are fewer."""
    last = losses[-WINDOW:]
    return math.fsum(last) / len(last)


def loss_metrics(losses: Sequence[float]) -> dict[str, float]:
    """
    Return ``first_loss``, ``last_loss`` (one step each), ``final_loss`` and ``best_loss``.

    ``final_loss`` is :func:`final_loss`, ``best_loss`` the lowest mean of as many steps.
    """
    size = min(WINDOW, len(losses))
    windows = (losses[start : start + size] for start in range(len(losses) - size + 1))
    return {
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "final_loss": final_loss(losses),
        "best_loss": min(map(math.fsum, windows)) / size,
    }


def read_losses(evidence: Evidence) -> Sequence[float]:
    """Return the losses in ``loss.csv``; empty if the curve is missing or incomplete."""
    return read_columns(evidence, "loss")[0]


def read_columns(evidence: Evidence, *names: str) -> list[Sequence[float]]:
    """
    Return columns of ``loss.csv`` as float64.

    Returns:
        A column for each name. It is empty if the file is missing, the steps are not 1, 2, 3 and so on, there
        is no such column, or a value in it is not a finite number.
    """
    columns: dict[str, array[float]] = {}
    try:
        with TextIOWrapper(evidence.open("loss.csv"), encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            head = next(rows, [])
            places = {name: head.index(name) for name in ("step", *names) if name in head}
            columns = {name: array("d") for name in names if name in places}
            for number, row in enumerate(rows, 1):
                if int(row[places["step"]]) != number:
                    raise ValueError(f"step {row[places['step']]} in row {number}")
                for name in list(columns):
                    value = _number_in(row, places[name])
                    if math.isfinite(value):
                        columns[name].append(value)
                    else:
                        del columns[name]
    except (OSError, ValueError, KeyError, IndexError, csv.Error):
        columns = {}
    return [columns.get(name, []) for name in names]


def _number_in(row: Sequence[str], place: int) -> float:
    try:
        return float(row[place])
    except (IndexError, ValueError):
        return math.nan


def measure_samples(evidence: Evidence) -> dict[str, float]:
    """Return the metrics of all generated texts, compared with the training text."""
    from lesson_ct4.measuring.measure import measure_samples

    record = evidence.read_json("samples.json")
    corpus = stored_corpus(evidence, record["corpus"])
    return measure_samples(record["samples"], record["prompt"], corpus)


def measure_dataset(evidence: Evidence) -> dict[str, float]:
    """Return the size of the fetched text; empty if the stored copy does not have the recorded digest."""
    record = evidence.read_json("dataset.json")
    data = _shared_file(evidence, record["corpus"])
    text = decode(data)
    if hashlib.sha256(data).hexdigest() != record["sha256"]:
        return {}
    return {
        "bytes": len(data),
        "characters": len(text),
        "unique_characters": len(set(text)),
        "lines": text.count("\n") + (not text.endswith("\n")),
    }


def measure_environment(evidence: Evidence) -> Mapping[str, float]:
    """Return the number of checks by outcome."""
    return measure_checks(evidence)


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics that are finite numbers."""
    return {name: float(value) for name, value in metrics.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def stored_corpus(evidence: Evidence, name: str, most: int = LARGEST) -> Corpus:
    """
    Return the statistics of a text in the run's shared evidence.

    Args:
        most: the largest size in bytes to read.

    Raises:
        ValueError: its digest does not match its name, or it has no words.
        OSError: it cannot be read.
    """
    return _corpus(decode(_shared_file(evidence, name, most)))


def _shared_file(evidence: Evidence, name: str, most: int = LARGEST) -> bytes:
    """
    Return a text file in the run's shared evidence.

    Raises:
        ValueError: its name is not ``corpus-<digest>.txt``, or its digest does not match its name.
        OSError: it cannot be read.
    """
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not a file name")
    data = evidence.read_shared(name, most)
    if name != f"corpus-{hashlib.sha256(data).hexdigest()[:16]}.txt":
        raise ValueError(f"{name} does not match its digest")
    return data


@lru_cache(maxsize=2)
def _corpus(text: str) -> Corpus:
    """Return the statistics of a text; cached, because every stage needs the same ones."""
    from lesson_ct4.measuring.corpus import Corpus

    return Corpus.from_text(text)
