"""Shape checks and reductions shared by several operations."""

from __future__ import annotations

import torch

from ..tensor import Tensor


def require_rank(name: str, tensor: Tensor, rank: int) -> None:
    """Raise RuntimeError unless `tensor` has `rank` dimensions."""
    if tensor.get_rank() != rank:
        raise RuntimeError(f"{name} must have rank {rank}, but its shape is {tensor.shape()}")


def reduce_to(grad: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Sum `grad` in float32 over the dimensions along which a value of `shape` was broadcast."""
    if grad.shape == shape:
        return grad
    grad = grad.float()
    while grad.dim() > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1 and grad.shape[axis] != 1:
            grad = grad.sum(axis, keepdim=True)
    return grad
