"""Sample the next character from a model's logits, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lesson_ct4.training.randomness import Purpose, uniforms
from lesson_runner.model.errors import LessonError

GREEDY_BELOW = 0.01
"""Sampling is greedy below this temperature, as in tt-train's own script."""


def check_sampling(*, temperature: float, top_k: int) -> None:
    """
    Check the sampling parameters.

    Raises:
        LessonError: the temperature is negative or not finite, or ``top_k`` is negative.
    """
    if not 0 <= temperature < np.inf:
        raise LessonError(f"--temperature is {temperature}", fix="--temperature must be 0 (greedy) or more")
    if top_k < 0:
        raise LessonError(f"--top_k is {top_k}", fix="--top_k must be 1 or more, or 0 for all characters")


def sample(
    logits: NDArray[np.float32],
    *,
    characters: int,
    temperature: float,
    top_k: int,
    seed: int,
    sample_index: int,
    position: int,
) -> int:
    """
    Return the token id of the next character.

    The result is from 1 to ``characters``, never padding, a special token, or an id that only pads the
    vocabulary to whole tiles.

    Args:
        logits: float32 ``[V]``, ``V > characters``.
        top_k: sample from this many most likely characters; 0 for all. Ties keep the lower id.
        seed, sample_index, position: the random number is a function of these.
    """
    real = logits[1 : characters + 1].astype(np.float64)
    if temperature < GREEDY_BELOW:
        return int(np.argmax(real)) + 1
    kept = np.argsort(-real, kind="stable")[: top_k or None]
    scaled = (real[kept] - real[kept[0]]) / temperature
    cumulative = np.cumsum(np.exp(scaled))
    # One random number per position; the range of the counter for a sample is longer than any text.
    draw = uniforms(seed, Purpose.SAMPLE, (sample_index << 32) + position, 1)[0]
    chosen = np.searchsorted(cumulative, draw * cumulative[-1], side="right")
    return int(kept[min(int(chosen), len(kept) - 1)]) + 1
