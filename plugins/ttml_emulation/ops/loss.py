"""`ttml.ops.loss`: cross-entropy and mean squared error."""

from __future__ import annotations

import torch

from .. import numerics
from ..chips import on_every_chip
from ..enums import ReduceType
from ..tensor import Tensor, record, stored
from ._shapes import require_rank


@on_every_chip
def cross_entropy_loss(prediction: Tensor, target: Tensor, reduce: ReduceType = ReduceType.MEAN) -> Tensor:
    """Return -log softmax(prediction)[target].

    `prediction` is `[B, 1, T, V]`, `target` `[B, T]` UINT32. MEAN gives `[1, 1, 1, 1]`, NONE `[B, 1, T,
    1]`. The loss of each token is rounded before the mean, and the mean is rounded too. The gradient is
    (softmax - onehot) g / (B T). Raises RuntimeError for other ranks or sizes, or another reduction.
    """
    require_rank("the prediction", prediction, 4)
    require_rank("the target", target, 2)
    batch, _, length, count = prediction.shape()
    if target.shape() != [batch, length]:
        raise RuntimeError(f"cross_entropy_loss: target {target.shape()} does not fit {prediction.shape()}")
    if reduce is ReduceType.SUM:
        raise RuntimeError("cross_entropy_loss: the reduction must be MEAN or NONE")
    logs = torch.log_softmax(prediction.wide().view(-1, count), -1)
    column = target.data.reshape(-1, 1).to(torch.int64)
    losses = numerics.current().store(-logs.gather(1, column))
    if reduce is ReduceType.MEAN:
        out = stored(losses.float().mean().view(1, 1, 1, 1))
        share = 1 / (batch * length)
    else:
        out = stored(losses.view(batch, 1, length, 1))
        share = 1.0

    def backward(grad: torch.Tensor) -> None:
        gradient = logs.exp()
        gradient.scatter_add_(1, column, torch.full_like(column, -1, dtype=gradient.dtype))
        gradient *= grad.float().view(-1, 1) * share
        prediction.accumulate(numerics.current().store(gradient).view(batch, 1, length, count))

    return record(out, [prediction], backward)


@on_every_chip
def mse_loss(prediction: Tensor, target: Tensor, reduce: ReduceType = ReduceType.MEAN) -> Tensor:
    """Return the mean of (prediction - target)^2, `[1, 1, 1, 1]`, or the squares with NONE.

    Raises RuntimeError if the shapes differ, or for another reduction.
    """
    if prediction.shape() != target.shape():
        raise RuntimeError(f"mse_loss: target {target.shape()} does not fit {prediction.shape()}")
    if reduce is ReduceType.SUM:
        raise RuntimeError("mse_loss: the reduction must be MEAN or NONE")
    difference = prediction.wide() - target.wide()
    squares = difference.square()
    mean = reduce is ReduceType.MEAN
    out = stored(squares.mean().view(1, 1, 1, 1) if mean else squares)
    share = 2 / squares.numel() if mean else 2.0

    def backward(grad: torch.Tensor) -> None:
        store = numerics.current().store
        gradient = difference * (grad.float() * share)
        if prediction.get_requires_grad():
            prediction.accumulate(store(gradient))
        if target.get_requires_grad():
            target.accumulate(store(-gradient))

    return record(out, [prediction, target], backward)
