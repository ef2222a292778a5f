"""
Stateless random numbers: every number is a function of a seed, a purpose and an index.

A resumed run therefore equals an uninterrupted one without saving the state of a generator. The raw output of
Philox is fixed by its definition (Salmon et al., 2011), so it does not depend on the version of numpy.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What the numbers are used for; different purposes never share numbers."""

    BATCH = 1
    DROPOUT = 2
    SAMPLE = 3


def words(seed: int, purpose: Purpose, index: int, count: int) -> NDArray[np.uint64]:
    """Return ``count`` 64-bit words; shape ``[count]``."""
    # The index is the counter's top word; drawing words only increments its bottom word.
    generator = np.random.Philox(key=[seed, int(purpose)], counter=[0, 0, 0, index])
    return np.asarray(generator.random_raw(count), dtype=np.uint64)


def uniforms(seed: int, purpose: Purpose, index: int, count: int) -> NDArray[np.float64]:
    """Return ``count`` numbers in [0, 1), with 53 random bits each; shape ``[count]``."""
    return (words(seed, purpose, index, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seed32(seed: int, purpose: Purpose, index: int) -> int:
    """Return a 32-bit seed for a generator."""
    return int(words(seed, purpose, index, 1)[0] >> np.uint64(32))
