"""
Compute how trainings on different numbers of chips compare in speed and in loss.

These are pure functions of a comparison's stored data, so they always give the same numbers for it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WINDOW = 10
"""Number of steps over which a final loss is averaged; small, because the compared trainings are short."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training."""

    checkpoint: str
    """Its name in the lesson."""
    chips: int
    batch_size: int
    """Sequences per step, over all chips."""
    sequence_length: int
    losses: tuple[float, ...]
    """The loss of each step."""
    seconds: tuple[float, ...]
    """The duration of each step."""

    @property
    def step_seconds(self) -> float:
        """Median duration of a step, without the first, which includes compiling."""
        return statistics.median(self.seconds[1:] or self.seconds)

    @property
    def tokens_per_second(self) -> float:
        """Characters trained on per second, over all chips."""
        return self.batch_size * self.sequence_length / self.step_seconds

    @property
    def final_loss(self) -> float:
        """Mean loss of the last :data:`WINDOW` steps."""
        last = self.losses[-WINDOW:]
        return math.fsum(last) / len(last)


def runs_from(stored: Mapping[str, object]) -> list[Run]:
    """
    Return the runs of a stored comparison, fewest chips first.

    Raises:
        KeyError, TypeError, ValueError: the data is not what :mod:`lesson_ct5.comparison` writes.
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
        raise ValueError("the runs have different lengths, or took no time")
    return sorted(runs, key=lambda run: run.chips)


def measure(runs: Sequence[Run]) -> dict[str, float]:
    """
    Return the metrics of a comparison; ``N`` in a name is a number of chips.

    - ``ms_per_step_N``, ``tokens_per_second_N``, ``final_loss_N``: of each run.
    - ``speedup_N``: ratio of characters per second to that of the run on the fewest chips.
    - ``efficiency_N``: the speed-up divided by the ratio of chips. With the same batch size on each chip,
      this is t(1) / t(N), the efficiency of weak scaling.
    - ``efficiency``: the lowest ``efficiency_N``.
    - ``loss_gap``, ``final_loss_gap``: if all runs had the same batches, the largest difference from the run
      on the fewest chips in the loss at any step, and in the final loss.
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
    """Return the ratio of the runs' characters per second."""
    return run.tokens_per_second / base.tokens_per_second


def efficiency(run: Run, base: Run) -> float:
    """Return the speed-up divided by the ratio of chips; 1 is perfect."""
    return speedup(run, base) * base.chips / run.chips


def same_batches(runs: Sequence[Run]) -> bool:
    """Return whether all runs used the same batches, whole or split over chips."""
    return len({run.batch_size for run in runs}) == 1


COLUMNS = ("Chips", "Batch", "Per chip", "ms per step", "Tokens/s", "Speed-up", "Efficiency", "Final loss")


def rows(runs: Sequence[Run]) -> list[list[str]]:
    """Return a row of cells for each run, matching :data:`COLUMNS`."""
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
