"""`ttml.ops.linear`: x W^T + b."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, stored


@on_every_chip
def linear(tensor: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x W^T + b, rounded once.

    `tensor` is `[..., in]`, `weight` `[1, 1, out, in]`, `bias` `[1, 1, 1, out]`; RuntimeError if they do not
    fit.
    """
    fan_out, fan_in = weight.shape()[-2:]
    shape = tensor.shape()
    if shape[-1] != fan_in:
        raise RuntimeError(f"linear: a tensor of shape {shape} does not fit a weight of {weight.shape()}")
    if bias is not None and bias.shape()[-1] != fan_out:
        raise RuntimeError(
            f"linear: a bias of shape {bias.shape()} does not fit a weight of {weight.shape()}"
        )
    x = tensor.operand().reshape(-1, fan_in)
    w = weight.operand().view(fan_out, fan_in)
    product = multiply(x, w, None if bias is None else bias.operand().view(fan_out))
    out = stored(product.view(*shape[:-1], fan_out))

    def backward(grad: torch.Tensor) -> None:
        policy = numerics.current()
        g = policy.operand(grad.reshape(-1, fan_out))
        if tensor.get_requires_grad():
            tensor.accumulate(policy.store(torch.mm(g, w)).view(shape))
        if weight.get_requires_grad():
            weight.accumulate(policy.store(torch.mm(g.t(), x)).view(1, 1, fan_out, fan_in))
        if bias is not None and bias.get_requires_grad():
            bias.accumulate(policy.store(g.sum(0)).view(1, 1, 1, fan_out))

    return record(out, [tensor, weight] if bias is None else [tensor, weight, bias], backward)


def multiply(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None) -> torch.Tensor:
    """Return x W^T + b, `[N, out]`, for operands `[N, in]`, `[out, in]` and `[out]`."""
    return torch.mm(x, w.t()) if b is None else torch.addmm(b, x, w.t())
