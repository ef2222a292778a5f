"""`ttml.init`: initialize tensors in place (`normal_`), or create them by shape (`normal()(shape)`).

The in-place functions fill a `Parameter`, a `Buffer` or a tensor, and return it. Xavier initialization is
that of Glorot and Bengio (2010), Kaiming that of He et al. (2015). Random numbers come from `ttml.ops.randn`
and `rand_`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

from .layers import Buffer, Init, Parameter
from .modules import parameter_from
from .ops.random import rand_, randn
from .tensor import Tensor

Held = TypeVar("Held", Tensor, Parameter, Buffer)
Mode = Literal["fan_in", "fan_out"]

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
_GAINS |= {f"conv{kind}{size}d": 1.0 for kind in ("", "_transpose") for size in (1, 2, 3)}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the recommended gain for an activation function; ValueError if it is unknown.

    `param` is the negative slope of `leaky_relu`, by default 0.01.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"unknown nonlinearity {nonlinearity!r}; known: {', '.join([*_GAINS, 'leaky_relu'])}"
        )
    return _GAINS[nonlinearity]


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return fan in and fan out of a weight `[1, 1, out, in]`; ValueError below two dimensions."""
    sizes = list(shape)
    while len(sizes) > 2 and sizes[0] == 1:
        del sizes[0]
    if len(sizes) < 2:
        raise ValueError(f"a tensor of shape {list(shape)} has no fan in and fan out")
    field = math.prod(sizes[2:])
    return sizes[1] * field, sizes[0] * field


def _kaiming(shape: Sequence[int], a: float, mode: Mode, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(shape), strict=True))
    if mode not in fans:
        raise ValueError(f"mode must be fan_in or fan_out, not {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans[mode])


def _xavier(shape: Sequence[int], gain: float) -> float:
    return gain * math.sqrt(2 / sum(_fans(shape)))


# --- in place


def uniform_(tensor: Held, a: float = 0.0, b: float = 1.0) -> Held:
    """Fill from a uniform distribution over [a, b)."""
    rand_(tensor.tensor, a, b)
    return tensor


def normal_(tensor: Held, mean: float = 0.0, std: float = 1.0) -> Held:
    """Fill from a normal distribution."""
    inner = tensor.tensor
    inner.assign(randn(inner.shape(), mean, std))
    return tensor


def constant_(tensor: Held, val: float) -> Held:
    """Fill with one number."""
    inner = tensor.tensor
    inner.assign(parameter_from(np.full(inner.shape(), val, dtype=np.float32)))
    return tensor


def zeros_(tensor: Held) -> Held:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Held) -> Held:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def xavier_uniform_(tensor: Held, gain: float = 1.0) -> Held:
    """Fill uniformly, with a standard deviation of gain sqrt(2 / (fan in + fan out))."""
    bound = math.sqrt(3) * _xavier(tensor.tensor.shape(), gain)
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Held, gain: float = 1.0) -> Held:
    """Fill normally, with a standard deviation of gain sqrt(2 / (fan in + fan out))."""
    return normal_(tensor, 0.0, _xavier(tensor.tensor.shape(), gain))


def kaiming_uniform_(
    tensor: Held, a: float = 0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu"
) -> Held:
    """Fill uniformly, with a standard deviation of gain / sqrt(fan); `a` is the slope of `leaky_relu`."""
    bound = math.sqrt(3) * _kaiming(tensor.tensor.shape(), a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Held, a: float = 0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu"
) -> Held:
    """Fill normally, with a standard deviation of gain / sqrt(fan); `a` is the slope of `leaky_relu`."""
    return normal_(tensor, 0.0, _kaiming(tensor.tensor.shape(), a, mode, nonlinearity))


# --- by shape


def _zeros(shape: Sequence[int]) -> Tensor:
    return parameter_from(np.zeros(tuple(shape), dtype=np.float32))


def uniform(a: float = 0.0, b: float = 1.0) -> Init:
    """Return an initializer that creates a tensor with `uniform_`."""
    return lambda shape: uniform_(_zeros(shape), a, b)


def normal(mean: float = 0.0, std: float = 1.0) -> Init:
    """Return an initializer that creates a tensor with `normal_`."""
    return lambda shape: normal_(_zeros(shape), mean, std)


def constant(val: float) -> Init:
    """Return an initializer that creates a tensor with `constant_`."""
    return lambda shape: constant_(_zeros(shape), val)


def zeros() -> Init:
    """Return an initializer that creates a tensor of 0s."""
    return constant(0.0)


def ones() -> Init:
    """Return an initializer that creates a tensor of 1s."""
    return constant(1.0)


def xavier_uniform(gain: float = 1.0) -> Init:
    """Return an initializer that creates a tensor with `xavier_uniform_`."""
    return lambda shape: xavier_uniform_(_zeros(shape), gain)


def xavier_normal(gain: float = 1.0) -> Init:
    """Return an initializer that creates a tensor with `xavier_normal_`."""
    return lambda shape: xavier_normal_(_zeros(shape), gain)


def kaiming_uniform(a: float = 0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu") -> Init:
    """Return an initializer that creates a tensor with `kaiming_uniform_`."""
    return lambda shape: kaiming_uniform_(_zeros(shape), a, mode, nonlinearity)


def kaiming_normal(a: float = 0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu") -> Init:
    """Return an initializer that creates a tensor with `kaiming_normal_`."""
    return lambda shape: kaiming_normal_(_zeros(shape), a, mode, nonlinearity)
