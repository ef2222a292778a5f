"""`ttml.ops.multi_head_utils`: split and join attention heads."""

from __future__ import annotations

import torch

from ..chips import on_every_chip
from ..tensor import Tensor, record, record_many, stored
from ._shapes import require_rank


@on_every_chip
def heads_creation(qkv: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Split `[B, 1, T, 3E]` into query, key and value, each `[B, num_heads, T, E / num_heads]`.

    The last dimension has query, key and value in this order; the heads of each are adjacent. Raises
    RuntimeError for another rank, or if E is not a multiple of `num_heads`.
    """
    require_rank("qkv", qkv, 4)
    batch, _, length, width = qkv.shape()
    if width % (3 * num_heads):
        raise RuntimeError(f"heads_creation: {width} is not a multiple of 3 x {num_heads} heads")
    size = width // (3 * num_heads)
    split = split_heads(qkv.half(), num_heads)
    outs = [stored(part) for part in split]

    def backward(grads: list[torch.Tensor | None]) -> None:
        joined = split.new_empty(batch, length, 3, num_heads, size)
        for part, grad in enumerate(grads):
            joined[:, :, part] = 0 if grad is None else grad.transpose(1, 2)
        qkv.accumulate(joined.view(batch, 1, length, width))

    record_many(outs, [qkv], backward)
    return outs[0], outs[1], outs[2]


@on_every_chip
def heads_fusion(tensor: Tensor) -> Tensor:
    """Join `[B, H, T, D]` to `[B, 1, T, H * D]`; RuntimeError for another rank."""
    require_rank("the heads", tensor, 4)
    batch, heads, length, size = tensor.shape()
    out = stored(join_heads(tensor.half()))

    def backward(grad: torch.Tensor) -> None:
        tensor.accumulate(grad.view(batch, length, heads, size).transpose(1, 2).contiguous())

    return record(out, [tensor], backward)


def split_heads(qkv: torch.Tensor, heads: int) -> torch.Tensor:
    """Return `[3, B, H, T, D]` for `[B, 1, T, 3 H D]`."""
    batch, _, length, width = qkv.shape
    parts = qkv.view(batch, length, 3, heads, width // (3 * heads))
    return parts.permute(2, 0, 3, 1, 4).contiguous()


def join_heads(mixed: torch.Tensor) -> torch.Tensor:
    """Return `[B, 1, T, H D]` for `[B, H, T, D]`."""
    batch, heads, length, size = mixed.shape
    return mixed.transpose(1, 2).reshape(batch, 1, length, heads * size)
