"""
Randomness without a state: every number is a function of a seed, a purpose and an index.

That is what makes a resumed run equal an uninterrupted one without saving any generator. The raw
output of Philox is fixed by its definition (Salmon et al., 2011), so numpy's version does not matter.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What the numbers are for; different purposes never share numbers."""

    BATCH = 1
    DROPOUT = 2
    SAMPLE = 3


def words(seed: int, purpose: Purpose, index: int, count: int) -> NDArray[np.uint64]:
    """Return ``count`` 64-bit words; shape ``[count]``."""
    # The counter's top word is the index, and the words drawn only move its bottom one.
    generator = np.random.Philox(key=[seed, int(purpose)], counter=[0, 0, 0, index])
    return np.asarray(generator.random_raw(count), dtype=np.uint64)


def uniforms(seed: int, purpose: Purpose, index: int, count: int) -> NDArray[np.float64]:
    """Return ``count`` numbers in [0, 1), with 53 bits each; shape ``[count]``."""
    return (words(seed, purpose, index, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seed32(seed: int, purpose: Purpose, index: int) -> int:
    """Return one seed for a 32-bit generator."""
    return int(words(seed, purpose, index, 1)[0] >> np.uint64(32))
