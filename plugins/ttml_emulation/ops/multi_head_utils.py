"""`ttml.ops.multi_head_utils`: splitting attention's heads and joining them again."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, record_many, stored
from ._shapes import require_rank


@on_every_chip
def heads_creation(qkv: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Split `[B, 1, T, 3E]` into query, key and value, each `[B, num_heads, T, E / num_heads]`.

    The last dimension holds query, key, value in this order, the heads of each side by side. Raises
    RuntimeError for another rank, or if E is not a multiple of `num_heads`.
    """
    require_rank("qkv", qkv, 4)
    batch, _, length, width = qkv.shape()
    if width % (3 * num_heads):
        raise RuntimeError(f"heads_creation: {width} is not a multiple of 3 x {num_heads} heads")
    size = width // (3 * num_heads)
    split = qkv.half().view(batch, length, 3, num_heads, size).permute(2, 0, 3, 1, 4).contiguous()
    outs = [stored(part) for part in split]

    def backward(grads: list[torch.Tensor | None]) -> None:
        joined = torch.zeros(
            batch, length, 3, num_heads, size, dtype=numerics.current().dtype, device=split.device
        )
        for part, grad in enumerate(grads):
            if grad is not None:
                joined[:, :, part].copy_(grad.transpose(1, 2))
        qkv.accumulate(joined.view(batch, 1, length, width))

    record_many(outs, [qkv], backward)
    return outs[0], outs[1], outs[2]


@on_every_chip
def heads_fusion(tensor: Tensor) -> Tensor:
    """Join `[B, H, T, D]` to `[B, 1, T, H * D]`; RuntimeError for another rank."""
    require_rank("the heads", tensor, 4)
    batch, heads, length, size = tensor.shape()
    out = stored(tensor.half().transpose(1, 2).reshape(batch, 1, length, heads * size))

    def backward(grad: torch.Tensor) -> None:
        tensor.accumulate(grad.view(batch, length, heads, size).transpose(1, 2).contiguous())

    return record(out, [tensor], backward)
