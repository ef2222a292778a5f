"""Weights laid out once for many small products.

A product of few rows spends much of its time bringing the weight into the order in which it is multiplied.
oneDNN can keep that order. PyTorch's compiler uses it, and so does this, where build and processor have it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from .ops.linear import multiply

Product = Callable[[torch.Tensor], torch.Tensor]
"""From `[..., in]` to `[..., out]`, not rounded."""


def pack(weight: torch.Tensor, bias: torch.Tensor | None, rows: int) -> Product:
    """Return what multiplies about `rows` rows with `[out, in]` and adds `[out]`."""
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight.default(weight, rows)
        linear = torch.ops.mkldnn._linear_pointwise.default
        return lambda x: linear(x, packed, bias, "none", [], "")
    except (AttributeError, NotImplementedError, RuntimeError):
        return lambda x: multiply(x.view(-1, x.shape[-1]), weight, bias).view(*x.shape[:-1], len(weight))
