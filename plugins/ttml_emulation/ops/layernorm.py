"""`ttml.ops.layernorm`: normalization over the last dimension."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, stored

EPSILON = 1e-6  # ttml's; PyTorch's default is 1e-5


@on_every_chip
def layernorm(tensor: Tensor, gamma: Tensor, beta: Tensor | None = None) -> Tensor:
    """Return (x - mean) / sqrt(variance + 1e-6) * gamma + beta, over the last dimension.

    `gamma` and `beta` are `[1, 1, 1, E]`; RuntimeError if they do not fit.
    """
    x = tensor.half()
    width = x.shape[-1]
    for name, parameter in (("gamma", gamma), ("beta", beta)):
        if parameter is not None and parameter.shape()[-1] != width:
            raise RuntimeError(
                f"layernorm: {name} of shape {parameter.shape()} does not fit {tensor.shape()}"
            )
    g = gamma.wide().view(width)
    b = None if beta is None else beta.wide().view(width)
    normal, mean, deviation = normalize(x, g, b)

    def backward(grad: torch.Tensor) -> None:
        dx, dgamma, dbeta = torch.ops.aten.native_layer_norm_backward.default(
            grad.float(), x.float(), [width], mean, deviation, g, b, [True, True, b is not None]
        )
        store = numerics.current().store
        tensor.accumulate(store(dx))
        gamma.accumulate(store(dgamma).view(1, 1, 1, width))
        if beta is not None:
            beta.accumulate(store(dbeta).view(1, 1, 1, width))

    return record(stored(normal), [tensor, gamma] if beta is None else [tensor, gamma, beta], backward)


composite_layernorm = layernorm
"""A board composes this one from smaller operations; in the emulation they are the same."""


def normalize(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the normalized `x`, its means, and its inverse standard deviations.

    With float32 parameters, PyTorch on a CPU computes in float32 for any type of `x`; with bfloat16
    parameters it would round mean and deviation. A GPU requires a float32 `x`, and so does the backward pass
    everywhere.
    """
    return torch.native_layer_norm(x.float() if x.is_cuda else x, gamma.shape, gamma, beta, EPSILON)
