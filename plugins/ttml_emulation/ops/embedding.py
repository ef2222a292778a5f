"""`ttml.ops.embedding`: embedding lookup."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..tensor import Tensor, record, stored
from ._shapes import require_rank


@on_every_chip
def embedding(tensor: Tensor, weight: Tensor) -> Tensor:
    """Return the rows of `weight` with the ids in `tensor`.

    `tensor` is `[B, 1, 1, T]` UINT32, `weight` `[1, 1, V, E]`, the result `[B, 1, T, E]`. Raises
    RuntimeError for other ranks, IndexError for an id that is not below V.
    """
    require_rank("the token ids", tensor, 4)
    require_rank("the embedding's weight", weight, 4)
    batch, _, _, length = tensor.shape()
    count, width = weight.shape()[-2:]
    ids = tensor.data.reshape(-1).to(torch.int64)
    out = stored(torch.embedding(weight.half().view(count, width), ids).view(batch, 1, length, width))

    def backward(grad: torch.Tensor) -> None:
        # Rows with the same id are summed in float32.
        rows = grad.reshape(-1, width).float()
        table = torch.ops.aten.embedding_dense_backward.default(rows, ids, count, -1, False)
        weight.accumulate(numerics.current().store(table).view(1, 1, count, width))

    return record(out, [weight], backward)
