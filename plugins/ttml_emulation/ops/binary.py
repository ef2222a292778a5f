"""`ttml.ops.binary`: elementwise arithmetic with broadcasting."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, stored
from ._shapes import reduce_to


@on_every_chip
def add(a: Tensor, b: Tensor) -> Tensor:
    """Return a + b."""
    return _linear_combination(a, b, 1.0)


@on_every_chip
def sub(a: Tensor, b: Tensor) -> Tensor:
    """Return a - b."""
    return _linear_combination(a, b, -1.0)


def _linear_combination(a: Tensor, b: Tensor, sign: float) -> Tensor:
    left, right = a.half(), b.half()
    out = stored(left + right if sign > 0 else left - right)

    def backward(grad: torch.Tensor) -> None:
        store = numerics.current().store
        if a.get_requires_grad():
            a.accumulate(store(reduce_to(grad, left.shape)))
        if b.get_requires_grad():
            b.accumulate(store(reduce_to(grad if sign > 0 else -grad, right.shape)))

    return record(out, [a, b], backward)


@on_every_chip
def mul(a: Tensor, b: Tensor | float) -> Tensor:
    """Return a * b, where b is a tensor or a number."""
    if not isinstance(b, Tensor):
        return _scale(a, float(b))
    left, right = a.half(), b.half()
    out = stored(left * right)

    def backward(grad: torch.Tensor) -> None:
        store = numerics.current().store
        wide = grad.float()
        if a.get_requires_grad():
            a.accumulate(store(reduce_to(wide * right, left.shape)))
        if b.get_requires_grad():
            b.accumulate(store(reduce_to(wide * left, right.shape)))

    return record(out, [a, b], backward)


def _scale(a: Tensor, factor: float) -> Tensor:
    out = stored(a.half() * factor)
    return record(out, [a], lambda grad: a.accumulate(grad * factor))


@on_every_chip
def div(a: Tensor, b: Tensor) -> Tensor:
    """Return a / b. In `ttml`, tensors have no `/` operator."""
    top, bottom = a.wide(), b.wide()
    out = stored(top / bottom)

    def backward(grad: torch.Tensor) -> None:
        store = numerics.current().store
        wide = grad.float()
        if a.get_requires_grad():
            a.accumulate(store(reduce_to(wide / bottom, top.shape)))
        if b.get_requires_grad():
            b.accumulate(store(reduce_to(-wide * top / bottom.square(), bottom.shape)))

    return record(out, [a, b], backward)
