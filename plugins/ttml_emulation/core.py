"""`ttml.core`: gradient clipping, and tensors with the shape of another tensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch

from . import numerics
from .chips import on_every_chip
from .enums import DataType
from .modules import NamedParameters
from .tensor import Tensor, stored
from .values import Value

Held = TypeVar("Held", Tensor, Value)


def clip_grad_norm(
    parameters: NamedParameters,
    max_norm: float,
    p_norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale the gradients so that their global norm is at most `max_norm`.

    Returns the norm before scaling, `[1, 1, 1, 1]` FLOAT32, computed in float32. The gradients are multiplied
    by min(1, max_norm / (norm + 1e-6)) and rounded. On a mesh every chip scales its own gradients: average
    them first, otherwise the chips' parameters will differ. If `error_if_nonfinite`, raises RuntimeError for
    a norm that is not finite.
    """
    chips = parameters.per_chip()
    if len(chips) > 1:
        clipped = [clip_grad_norm(part, max_norm, p_norm_type, error_if_nonfinite) for part in chips]
        return Tensor.joined(clipped)
    found = [tensor for tensor in parameters.values() if tensor.grad is not None]
    grads = [tensor.grad for tensor in found if tensor.grad is not None]
    norms = [torch.linalg.vector_norm(grad, p_norm_type, dtype=torch.float32) for grad in grads]
    device = numerics.current().device
    total = (
        torch.linalg.vector_norm(torch.stack(norms), p_norm_type) if norms else torch.zeros((), device=device)
    )
    norm = float(total)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"the gradients' norm is {norm}")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # this also holds for a NaN norm, so that NaN spreads to all gradients
        for tensor, grad in zip(found, torch._foreach_mul(grads, factor), strict=True):
            tensor.grad = grad
    return Tensor(Value(total.view(1, 1, 1, 1), DataType.FLOAT32), False)


def zeros_like(tensor: Held) -> Held:
    """Return zeros of the same shape; for a `ttnn` tensor, one of its type."""
    return _like(tensor, torch.zeros_like)


def ones_like(tensor: Held) -> Held:
    """Return ones of the same shape; for a `ttnn` tensor, one of its type."""
    return _like(tensor, torch.ones_like)


def empty_like(tensor: Held) -> Held:
    """Return a tensor of the same shape; its values are 0 here, and undefined on a board."""
    return zeros_like(tensor)


@on_every_chip
def _like(tensor: Held, make: Callable[[torch.Tensor], torch.Tensor]) -> Held:
    if isinstance(tensor, Value):
        return Value(make(tensor.data), tensor.dtype, tensor.layout)
    return stored(make(tensor.half()))
