"""`ttml.ops.unary`: activations and the mean."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, stored


@on_every_chip
def gelu(tensor: Tensor) -> Tensor:
    """Return x Phi(x), with the normal distribution Phi exact (erf), and its exact derivative.

    PyTorch's bfloat16 kernel computes in float32 and rounds once. It gives the same bits in a third of the
    time, but is slower on a processor without bfloat16 instructions.
    """
    x = tensor.operand()
    out = stored(torch.nn.functional.gelu(x))

    def backward(grad: torch.Tensor) -> None:
        gradient = torch.ops.aten.gelu_backward.default(numerics.current().operand(grad), x)
        tensor.accumulate(numerics.current().store(gradient))

    return record(out, [tensor], backward)


@on_every_chip
def relu(tensor: Tensor) -> Tensor:
    """Return max(x, 0)."""
    x = tensor.half()
    return record(stored(torch.relu(x)), [tensor], lambda grad: tensor.accumulate(grad * (x > 0)))


@on_every_chip
def silu(tensor: Tensor) -> Tensor:
    """Return x sigmoid(x)."""
    x = tensor.wide()
    gate = torch.sigmoid(x)

    def backward(grad: torch.Tensor) -> None:
        gradient = grad.float() * gate * (1 + x * (1 - gate))
        tensor.accumulate(numerics.current().store(gradient))

    return record(stored(x * gate), [tensor], backward)


@on_every_chip
def mean(tensor: Tensor) -> Tensor:
    """Return the mean of all elements, `[1, 1, 1, 1]`."""
    x = tensor.wide()
    out = stored(x.mean().view(1, 1, 1, 1))

    def backward(grad: torch.Tensor) -> None:
        share = numerics.current().store(grad.float() / x.numel())
        tensor.accumulate(share.expand(x.shape).contiguous())

    return record(out, [tensor], backward)
