"""`ttml.ops.randn` and `rand_`: random tensors.

Each call draws one seed from the context's generator, so `set_seed` determines the result. The numbers come
from numpy; a board's generator draws others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..context import AutoContext
from ..enums import DataType
from ..tensor import Tensor


def randn(shape: Sequence[int], mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Return a BFLOAT16 tensor drawn from a normal distribution."""
    return _tensor(_generator().normal(mean, std, tuple(shape)))


def rand_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill `tensor` from a uniform distribution over [a, b), and return it."""
    tensor.assign(_tensor(_generator().uniform(a, b, tuple(tensor.shape()))))
    return tensor


def _generator() -> np.random.Generator:
    return np.random.default_rng(AutoContext.get_instance().draw_seed())


def _tensor(drawn: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
    return Tensor.from_numpy(drawn.astype(np.float32), new_type=DataType.BFLOAT16)
