"""Shapes of a loss curve that mean something: pure functions of the losses, nats a character, from step 1."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

WINDOW = 50
"""Steps that are averaged: one step's loss varies by 0.06 from batch to batch."""
ENOUGH = 300
"""Before so many steps, a curve that is still high is only young."""
STUCK = 0.1
"""A curve that fell by less than this from its first steps has not begun to learn."""
FLAT = 0.01
"""Two windows that differ by less than this are as good as equal."""
EXPLODED = 0.5
"""A model that knows nothing has a loss of ln V; worse than that by so much, it is sure of what is wrong."""
SPIKE = 0.2
"""A rise by more than this, and the steps' own scatter, where training went on is no chance."""


def has_exploded(losses: Sequence[float]) -> bool:
    """Return whether training made the model worse than it began."""
    return len(losses) >= 20 and fmean(losses[-10:]) - fmean(losses[:5]) > EXPLODED


def is_stuck(losses: Sequence[float]) -> bool:
    """Return whether the loss never left where it began."""
    return len(losses) >= ENOUGH and abs(fmean(losses[:5]) - fmean(losses[-WINDOW:])) < STUCK


def knows_frequencies_only(losses: Sequence[float], entropy: float) -> bool:
    """
    Return whether the loss fell, but not below what knowing each character's frequency gives.

    Args:
        entropy: of the text's characters one by one, in nats (3.31 for tiny Shakespeare).
    """
    return len(losses) >= ENOUGH and not is_stuck(losses) and fmean(losses[-WINDOW:]) > entropy - STUCK / 2


def is_flat(losses: Sequence[float]) -> bool:
    """Return whether the second half of the training brought nothing, although it had begun well."""
    if len(losses) < 2 * ENOUGH or is_stuck(losses):
        return False
    tenth = len(losses) // 10
    middle = fmean(losses[len(losses) // 2 : len(losses) // 2 + tenth])
    return middle - fmean(losses[-tenth:]) < FLAT


def jump(losses: Sequence[float], begin: int) -> float:
    """Return by how much the ten steps after step ``begin`` lie above the twenty before; 0 if not by much."""
    before, after = losses[max(0, begin - 20) : begin], losses[begin : begin + 10]
    if not before or not after:
        return 0.0
    rise = fmean(after) - fmean(before)
    return rise if rise > SPIKE + pstdev(before) else 0.0
