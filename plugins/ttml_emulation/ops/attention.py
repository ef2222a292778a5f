"""`ttml.ops.attention`: scaled dot-product attention.

With a causal mask, a block of query rows attends to no keys after its last row, so the products are computed
block by block over the visible keys. On a CPU this is faster than PyTorch's fused kernel, whose backward pass
recomputes the scores: at the lesson's size it takes three quarters of the time in float32, and a third in
bfloat16.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, is_causal, record, stored
from ..values import Value
from ._shapes import require_rank

ROWS = {torch.float32: 64, torch.bfloat16: 256}
"""
Query rows per block, by operand type. Smaller blocks skip more masked scores, but more blocks have more
overhead. bfloat16 products are so fast that the overhead dominates.
"""
MASKED_SCORE = -1e9
"""The score of a masked position."""


@on_every_chip
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | Value | None = None
) -> Tensor:
    """Return softmax(q k^T / sqrt(D), masked) v, without dropout.

    Query, key and value are `[B, H, T, D]`; `mask` is `[1, 1, T, T]`, 1 where attention is allowed, else 0.
    None means a causal mask, as in recent versions of `ttml`; earlier versions apply no mask then, so always
    pass one. The query is scaled before the product. Raises RuntimeError if the shapes differ.
    """
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        require_rank(name, tensor, 4)
        if tensor.shape() != query.shape():
            raise RuntimeError(f"attention: {name} has shape {tensor.shape()}, query {query.shape()}")
    batch, heads, length, size = query.shape()
    q = scaled(query.half()).view(-1, length, size)
    k = key.operand().view(-1, length, size)
    v = value.operand().view(-1, length, size)
    blocks = _blocks(mask, length, q)

    rows, weights = [], []
    for start, stop, end, bias in blocks:
        weight, row = attend(q[:, start:stop], k[:, :end], v[:, :end], bias)
        weights.append(weight)
        rows.append(row)
    mixed = rows[0] if len(rows) == 1 else torch.cat(rows, 1)
    out = stored(mixed.view(batch, heads, length, size))

    def backward(grad: torch.Tensor) -> None:
        policy = numerics.current()
        g = policy.operand(grad).reshape(-1, length, size)
        dq, dk, dv = torch.empty_like(q), k.new_empty(0), v.new_empty(0)
        for (start, stop, end, _), weight in zip(reversed(blocks), reversed(weights), strict=True):
            part, seen = g[:, start:stop], k[:, :end]
            dweight = torch.bmm(part, v[:, :end].transpose(1, 2))
            dscores = torch._softmax_backward_data(dweight, weight, -1, weight.dtype)
            dq[:, start:stop] = torch.bmm(dscores, seen)
            more_dk = torch.bmm(dscores.transpose(1, 2), q[:, start:stop])
            more_dv = torch.bmm(weight.transpose(1, 2), part)
            if end == length:  # the last block attends to every key; the others add to its sums
                dk, dv = more_dk.float(), more_dv.float()
            else:
                dk[:, :end] += more_dk
                dv[:, :end] += more_dv
        shape = (batch, heads, length, size)
        query.accumulate(policy.store(dq * _scale(size)).view(shape))
        key.accumulate(policy.store(dk).view(shape))
        value.accumulate(policy.store(dv).view(shape))

    return record(out, [query, key, value], backward)


scaled_dot_product_attention_composite = scaled_dot_product_attention


def scaled(query: torch.Tensor) -> torch.Tensor:
    """Return a stored query times 1 / sqrt(D), rounded, in the type for matrix products."""
    policy = numerics.current()
    return policy.operand(policy.store(query * _scale(query.shape[-1])))


def _scale(size: int) -> float:
    return 1 / math.sqrt(size)


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights softmax(q k^T + bias), `[N, R, S]`, and their product with v, `[N, R, D]`.

    `q` is `[N, R, D]`, scaled; `k` and `v` are `[N, S, D]`; `bias` is added to the scores of the last keys.
    """
    scores = torch.bmm(q, k.transpose(1, 2))
    scores[:, :, scores.shape[-1] - bias.shape[-1] :] += bias
    weights = torch.softmax(scores, -1)
    return weights, torch.bmm(weights, v)


def is_causal_attention(mask: Tensor | Value | None) -> bool:
    """Return whether attention with this mask is causal."""
    return mask is None or (mask.is_causal() if isinstance(mask, Tensor) else is_causal(mask.data))


def _blocks(
    mask: Tensor | Value | None, length: int, like: torch.Tensor
) -> list[tuple[int, int, int, torch.Tensor]]:
    """Return (first row, last row + 1, number of visible keys, bias of the last scores of each row)."""
    if not is_causal_attention(mask):
        assert mask is not None
        data = mask.data
        if tuple(data.shape) != (1, 1, length, length):
            raise RuntimeError(
                f"attention: the mask has shape {list(data.shape)}, not [1, 1, {length}, {length}]"
            )
        return [(0, length, length, _bias(data.view(length, length), like.dtype))]
    if mask is not None and mask.data.shape[-1] != length:
        raise RuntimeError(f"attention: the mask is for {mask.data.shape[-1]} positions, not {length}")
    rows = length if like.is_cuda else ROWS[like.dtype]
    starts = range(0, length, rows)
    triangle = causal_bias(rows, like.dtype, like.device)
    return [
        (start, stop, stop, triangle[: stop - start, : stop - start])
        for start, stop in ((start, min(start + rows, length)) for start in starts)
    ]


@lru_cache(maxsize=8)
def causal_bias(rows: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return the causal bias for the scores of `rows` queries and the keys of the same positions."""
    return _bias(torch.ones(rows, rows, device=device).tril(), dtype)


def _bias(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return ((1 - allowed.float()) * MASKED_SCORE).to(dtype)
