"""Recognise problems in a loss curve. Pure functions of the losses, in nats per character, from step 1."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

WINDOW = 50
"""Number of steps to average over: the loss of single steps varies by 0.06 between batches."""
ENOUGH = 300
"""With fewer steps than this, a high loss does not mean anything."""
STUCK = 0.1
"""If the loss fell by less than this since the first steps, learning has not begun."""
FLAT = 0.01
"""Windows whose means differ by less than this count as equal."""
EXPLODED = 0.5
"""Training has diverged if the loss is this much above its start, which is ln V for an untrained model."""
SPIKE = 0.2
"""A rise after resuming counts if it exceeds this plus the standard deviation of the losses before."""


def has_exploded(losses: Sequence[float]) -> bool:
    """Return whether training made the model worse than at the start."""
    return len(losses) >= 20 and fmean(losses[-10:]) - fmean(losses[:5]) > EXPLODED


def is_stuck(losses: Sequence[float]) -> bool:
    """Return whether the loss stayed where it started."""
    return len(losses) >= ENOUGH and abs(fmean(losses[:5]) - fmean(losses[-WINDOW:])) < STUCK


def knows_frequencies_only(losses: Sequence[float], entropy: float) -> bool:
    """
    Return whether the loss fell, but not below the entropy of the character frequencies.

    Args:
        entropy: entropy of the text's character frequencies, in nats (3.31 for tiny Shakespeare).
    """
    return len(losses) >= ENOUGH and not is_stuck(losses) and fmean(losses[-WINDOW:]) > entropy - STUCK / 2


def is_flat(losses: Sequence[float]) -> bool:
    """Return whether the loss did not fall in the second half, although training began well."""
    if len(losses) < 2 * ENOUGH or is_stuck(losses):
        return False
    tenth = len(losses) // 10
    middle = fmean(losses[len(losses) // 2 : len(losses) // 2 + tenth])
    return middle - fmean(losses[-tenth:]) < FLAT


def jump(losses: Sequence[float], begin: int) -> float:
    """Return the rise from the 20 steps before ``begin`` to the 10 steps after it; 0 if insignificant."""
    before, after = losses[max(0, begin - 20) : begin], losses[begin : begin + 10]
    if not before or not after:
        return 0.0
    rise = fmean(after) - fmean(before)
    return rise if rise > SPIKE + pstdev(before) else 0.0
