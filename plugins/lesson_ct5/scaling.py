"""
What trainings on different numbers of chips show: speed, and whether they learn the same.

Pure functions of what a comparison stored, so that the same numbers come out whenever it is looked at again.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WINDOW = 10
"""Steps over which a final loss is averaged; the trainings that are compared are short."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training."""

    checkpoint: str
    """Its name in the lesson."""
    chips: int
    batch_size: int
    """Sequences a step, over all chips together."""
    sequence_length: int
    losses: tuple[float, ...]
    """Of every step."""
    seconds: tuple[float, ...]
    """Every step's duration."""

    @property
    def step_seconds(self) -> float:
        """The median over the steps but the first, which compiles."""
        return statistics.median(self.seconds[1:] or self.seconds)

    @property
    def tokens_per_second(self) -> float:
        """Characters trained on in a second, over all chips together."""
        return self.batch_size * self.sequence_length / self.step_seconds

    @property
    def final_loss(self) -> float:
        """The mean of the last :data:`WINDOW` steps."""
        last = self.losses[-WINDOW:]
        return math.fsum(last) / len(last)


def runs_from(stored: Mapping[str, object]) -> list[Run]:
    """
    Return the runs of a stored comparison, fewest chips first.

    Raises:
        KeyError, TypeError, ValueError: it is not what :mod:`lesson_ct5.comparison` writes.
    """
    found = stored["runs"]
    if not isinstance(found, list):
        raise TypeError("runs is not a list")
    runs = [
        Run(
            str(item["checkpoint"]),
            int(item["chips"]),
            int(item["batch_size"]),
            int(item["sequence_length"]),
            tuple(map(float, item["losses"])),
            tuple(map(float, item["seconds"])),
        )
        for item in found
    ]
    sizes = {len(values) for run in runs for values in (run.losses, run.seconds)}
    if len(sizes) != 1 or not all(min(run.seconds, default=0) > 0 for run in runs):
        raise ValueError("the runs are not of one length, or took no time")
    return sorted(runs, key=lambda run: run.chips)


def measure(runs: Sequence[Run]) -> dict[str, float]:
    """
    Return the numbers of a comparison; ``N`` in a name stands for a number of chips.

    ``ms_per_step_N``, ``tokens_per_second_N``, ``final_loss_N``; and against the run on the fewest chips
    ``speedup_N`` (the ratio of characters a second) and ``efficiency_N`` (that ratio, divided by the ratio of
    chips). With one batch for each chip this is t(1) / t(N), the efficiency of weak scaling. ``efficiency``
    is the lowest. Where all runs had the same batches: ``loss_gap``, the largest difference of two runs'
    losses at any step, and ``final_loss_gap``, that of their final losses.
    """
    base = runs[0]
    metrics: dict[str, float] = {}
    for run in runs:
        metrics[f"ms_per_step_{run.chips}"] = 1000 * run.step_seconds
        metrics[f"tokens_per_second_{run.chips}"] = run.tokens_per_second
        metrics[f"final_loss_{run.chips}"] = run.final_loss
        if run is not base:
            metrics[f"speedup_{run.chips}"] = speedup(run, base)
            metrics[f"efficiency_{run.chips}"] = efficiency(run, base)
    if len(runs) > 1:
        metrics["efficiency"] = min(efficiency(run, base) for run in runs[1:])
        if same_batches(runs):
            metrics["loss_gap"] = max(
                abs(loss - other)
                for run in runs[1:]
                for loss, other in zip(run.losses, base.losses, strict=True)
            )
            metrics["final_loss_gap"] = max(abs(run.final_loss - base.final_loss) for run in runs[1:])
    return metrics


def speedup(run: Run, base: Run) -> float:
    """Return how many times as many characters a second a run trains on."""
    return run.tokens_per_second / base.tokens_per_second


def efficiency(run: Run, base: Run) -> float:
    """Return the share of its chips that a run's speed is worth; 1 is perfect."""
    return speedup(run, base) * base.chips / run.chips


def same_batches(runs: Sequence[Run]) -> bool:
    """Return whether all runs saw the same batches, whole or in parts."""
    return len({run.batch_size for run in runs}) == 1


COLUMNS = ("Chips", "Batch", "Per chip", "ms a step", "Tokens/s", "Speed-up", "Efficiency", "Final loss")


def rows(runs: Sequence[Run]) -> list[list[str]]:
    """Return a row of text for each run, for :data:`COLUMNS`."""
    return [
        [
            str(run.chips),
            str(run.batch_size),
            str(run.batch_size // run.chips),
            f"{1000 * run.step_seconds:,.1f}",
            f"{run.tokens_per_second:,.0f}",
            f"{speedup(run, runs[0]):.2f}",
            f"{100 * efficiency(run, runs[0]):.0f} %",
            f"{run.final_loss:.3f}",
        ]
        for run in runs
    ]
