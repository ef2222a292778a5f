"""`ttml.ops.attention`: scaled dot-product attention.

With a causal mask a block of query rows sees no key behind its own last row, so the products are done block
by block over the keys that count. On the CPU this takes less time than PyTorch's fused kernel, whose
backward pass computes the scores a second time: at the lesson's size three quarters of it in float32, and a
third in bfloat16.
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
Query rows a block, by what is multiplied. Smaller blocks skip more of what may not be seen, but there are
more of them; and products of bfloat16 take so little that what is done around them decides.
"""
MASKED_SCORE = -1e9
"""The score of a position that may not be attended to."""


@on_every_chip
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | Value | None = None
) -> Tensor:
    """Return softmax(q k^T / sqrt(D), masked) v, without dropout.

    The three are `[B, H, T, D]`; `mask` is `[1, 1, T, T]`, 1 where attention is allowed and 0 where not.
    None is causal, as in recent versions of `ttml`; earlier ones then apply no mask, so always pass one.
    The scale is applied to the query first. Raises RuntimeError if the shapes differ.
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
            if end == length:  # the last block sees every key; the others add to its sums
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
    """Return a stored query times 1 / sqrt(D), rounded, as a matrix product takes it."""
    policy = numerics.current()
    return policy.operand(policy.store(query * _scale(query.shape[-1])))


def _scale(size: int) -> float:
    return 1 / math.sqrt(size)


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return softmax(q k^T + bias), `[N, R, S]`, and that times v, `[N, R, D]`.

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
    """Return (first row, last row + 1, keys in sight, what is added to the last scores of each row)."""
    if not is_causal_attention(mask):
        assert mask is not None
        data = mask.data
        if tuple(data.shape) != (1, 1, length, length):
            raise RuntimeError(
                f"attention: the mask's shape is {list(data.shape)}, not [1, 1, {length}, {length}]"
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
    """Return what is added to the scores of `rows` queries and the keys of the same positions."""
    return _bias(torch.ones(rows, rows, device=device).tril(), dtype)


def _bias(allowed: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return ((1 - allowed.float()) * MASKED_SCORE).to(dtype)
