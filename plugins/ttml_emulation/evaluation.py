"""Evaluate NanoGPT tile by tile, with a KV cache that the next evaluation reuses.

A script that generates text calls the model with the same ids plus one more. NanoGPT in `ttml` takes full
blocks and has no KV cache. This one has the same interface, but a row of a causal model depends only on the
rows before it. Rows are therefore computed when they are read, in tiles of 32, each from the cached keys and
values of the tiles before it. The next evaluation reuses all tiles before its first new id, if no parameter
has changed in between.

A tile is always computed in the same way from the same numbers, no matter for which call. Every row is
therefore the same, bit for bit, regardless of earlier evaluations and of how much of the block is read.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from . import numerics
from .ops.attention import attend, causal_bias, scaled
from .ops.layernorm import normalize
from .ops.multi_head_utils import join_heads, split_heads
from .packing import Product, pack
from .tensor import Tensor

TILE = 32
"""Rows of a tile, as on the device."""
Ids = NDArray[np.int64]


class Affine(NamedTuple):
    """The parameters of a linear layer, or of a normalization."""

    weight: Tensor
    bias: Tensor | None


class BlockWeights(NamedTuple):
    """The parameters of one layer of the model."""

    heads: int
    ln1: Affine
    qkv: Affine
    out: Affine
    ln2: Affine
    fc1: Affine
    fc2: Affine


class Weights(NamedTuple):
    """The parameters of a NanoGPT."""

    tokens: Tensor
    positions: Tensor
    blocks: tuple[BlockWeights, ...]
    norm: Affine
    head: Affine

    def tensors(self) -> list[Tensor]:
        """Return all of them."""
        affine = [part for block in self.blocks for part in block[1:]]
        return [
            self.tokens,
            self.positions,
            *(tensor for part in (*affine, self.norm, self.head) for tensor in part if tensor is not None),
        ]


_Norm = tuple[torch.Tensor, torch.Tensor | None]
"""Gamma and beta, float32 `[E]`."""


class _Block(NamedTuple):
    """The parameters of a layer, prepared for the operations."""

    heads: int
    ln1: _Norm
    qkv: Product
    out: Product
    ln2: _Norm
    fc1: Product
    fc2: Product


class Prepared:
    """Parameters prepared for the operations, and a check whether they are still current.

    Args:
        rows: number of rows in a tile, over all samples.
    """

    def __init__(self, weights: Weights, rows: int) -> None:
        self._tensors = weights.tensors()
        self._versions = [tensor.version() for tensor in self._tensors]
        self.vocabulary = weights.head.weight.shape()[-2]
        self.tokens = weights.tokens.half().view(weights.tokens.shape()[-2:])
        self.positions = weights.positions.half().view(weights.positions.shape()[-2:])
        self.blocks = [
            _Block(
                block.heads,
                _norm(block.ln1),
                _product(block.qkv, rows),
                _product(block.out, rows),
                _norm(block.ln2),
                _product(block.fc1, rows),
                _product(block.fc2, rows),
            )
            for block in weights.blocks
        ]
        self.norm, self.head = _norm(weights.norm), _product(weights.head, rows)

    def holds(self, weights: Weights) -> bool:
        """Return whether these are the same parameters, and none was replaced or changed since."""
        tensors = weights.tensors()
        return (
            len(tensors) == len(self._tensors)
            and all(map(operator.is_, tensors, self._tensors))
            and [tensor.version() for tensor in tensors] == self._versions
        )


def _norm(part: Affine) -> _Norm:
    return part.weight.wide().view(-1), None if part.bias is None else part.bias.wide().view(-1)


def _product(part: Affine, rows: int) -> Product:
    weight = part.weight.operand().view(part.weight.shape()[-2:])
    return pack(weight, None if part.bias is None else part.bias.operand().view(-1), rows)


class Evaluation:
    """The logits of one block of ids `[B, T]`, computed tile by tile as they are read.

    Args:
        before: an evaluation of ids of the same shape with the same parameters; its tiles are reused up to
            the first different id.
    """

    def __init__(self, prepared: Prepared, ids: Ids, before: Evaluation | None) -> None:
        self.prepared = prepared
        self._ids = ids
        # Keys and values by layer and tile, [2, B * H, 32, D]; logits by tile, [B, 1, 32, V].
        self._kv_cache: list[list[torch.Tensor]] = [[] for _ in prepared.blocks]
        self._logits: list[torch.Tensor] = []
        if before is not None:
            known = before._same_ids(ids) // TILE
            self._kv_cache = [kv_cache[:known] for kv_cache in before._kv_cache]
            self._logits = before._logits[:known]

    def can_extend_to(self, ids: Ids) -> bool:
        """Return whether an evaluation of `ids` can reuse tiles of this one."""
        return ids.shape == self._ids.shape

    def _same_ids(self, ids: Ids) -> int:
        """Return how many leading positions have the same ids in all samples."""
        differs = (ids != self._ids).any(0)
        return int(differs.argmax()) if differs.any() else len(differs)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the logits, `[B, 1, T, V]`."""
        batch, length = self._ids.shape
        return batch, 1, length, self.prepared.vocabulary

    def read(self, start: int, stop: int) -> torch.Tensor:
        """Return a copy of the logits of rows `start` to `stop`, exclusive."""
        first, last = start // TILE, -(-stop // TILE)
        self._compute(range(len(self._logits), last))
        return torch.cat(self._logits[first:last], 2)[:, :, start - first * TILE : stop - first * TILE]

    def _compute(self, tiles: range) -> None:
        """Compute the next tiles, layer by layer, so that a layer's weights stay in the processor's cache."""
        prepared = self.prepared
        inputs = []
        for tile in tiles:
            rows = slice(tile * TILE, tile * TILE + TILE)
            tokens = torch.embedding(prepared.tokens, torch.from_numpy(self._ids[:, rows]))
            inputs.append((tokens + prepared.positions[rows]).unsqueeze(1))
        for block, kv_cache in zip(prepared.blocks, self._kv_cache, strict=True):
            del kv_cache[tiles.start :]  # drop entries of a pass that was interrupted
            inputs = [_layer(block, x, kv_cache) for x in inputs]
        self._logits += [_affine(_normalized(x, prepared.norm), prepared.head) for x in inputs]


def _layer(block: _Block, x: torch.Tensor, kv_cache: list[torch.Tensor]) -> torch.Tensor:
    """Return the output of a layer for a tile `[B, 1, 32, E]`; append its keys and values to the cache."""
    policy = numerics.current()
    parts = split_heads(_affine(_normalized(x, block.ln1), block.qkv), block.heads)
    query = scaled(parts[0])
    kv_cache.append(policy.operand(parts[1:]).flatten(1, 2))
    k, v = torch.cat(kv_cache, 2)
    _, mixed = attend(query.flatten(0, 1), k, v, causal_bias(TILE, query.dtype, query.device))
    x = x + _affine(join_heads(policy.store(mixed).view(query.shape)), block.out)
    inner = _affine(_normalized(x, block.ln2), block.fc1)
    return x + _affine(policy.store(torch.nn.functional.gelu(policy.operand(inner))), block.fc2)


def _affine(x: torch.Tensor, product: Product) -> torch.Tensor:
    policy = numerics.current()
    return policy.store(product(policy.operand(x)))


def _normalized(x: torch.Tensor, norm: _Norm) -> torch.Tensor:
    return numerics.current().store(normalize(x, *norm)[0])
