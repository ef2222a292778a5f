"""Pack weights once for many small matrix products.

A product with few rows spends much of its time reordering the weight in memory. oneDNN can store the
reordered weight. PyTorch's compiler uses this, and so does this module, where the build and processor support
it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from .ops.linear import multiply

Product = Callable[[torch.Tensor], torch.Tensor]
"""A function from `[..., in]` to `[..., out]`, without rounding."""


def pack(weight: torch.Tensor, bias: torch.Tensor | None, rows: int) -> Product:
    """Return a function that multiplies about `rows` rows by a weight `[out, in]` and adds a bias `[out]`."""
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight.default(weight, rows)
        linear = torch.ops.mkldnn._linear_pointwise.default
        return lambda x: linear(x, packed, bias, "none", [], "")
    except (AttributeError, NotImplementedError, RuntimeError):
        return lambda x: multiply(x.view(-1, x.shape[-1]), weight, bias).view(*x.shape[:-1], len(weight))
