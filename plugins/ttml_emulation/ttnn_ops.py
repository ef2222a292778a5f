"""The functions of `ttnn` that NanoGPT scripts call on values, mostly to pick a token."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import numpy as np
import torch

from . import numerics, values
from .device import MeshDevice
from .enums import DataType, Layout
from .values import Value


def from_buffer(
    buffer: Sequence[float],
    shape: Sequence[int],
    dtype: DataType,
    device: MeshDevice | None = None,  # noqa: ARG001
    layout: Layout = Layout.ROW_MAJOR,
) -> Value:
    """Return a value of `shape` with the numbers in `buffer`."""
    data = torch.from_numpy(np.array(buffer)).reshape(list(shape)).to(numerics.current().device)
    return Value(*values.convert(data, dtype), layout)


def full(shape: Sequence[int], value: float, dtype: DataType = DataType.BFLOAT16) -> Value:
    """Return `shape` filled with one number."""
    data = torch.full(list(shape), float(value), device=numerics.current().device)
    return Value(*values.convert(data, dtype))


def full_like(tensor: Value, value: float, dtype: DataType | None = None) -> Value:
    """Return the shape of `tensor` filled with one number."""
    return full(tensor.shape, value, dtype or tensor.dtype)


def clone(tensor: Value) -> Value:
    """Return a copy."""
    return Value(tensor.data.clone(), tensor.dtype, tensor.layout)


def deallocate(tensor: Value) -> None:
    """Do nothing: memory is freed when it is no longer used."""


def typecast(tensor: Value, dtype: DataType) -> Value:
    """Return the value in another type."""
    return Value(*values.convert(tensor.data, dtype), tensor.layout)


def reshape(tensor: Value, shape: Sequence[int]) -> Value:
    """Return the same numbers in another shape."""
    return _like(tensor, tensor.data.reshape(list(shape)))


def slice(tensor: Value, begin: Sequence[int], end: Sequence[int]) -> Value:  # noqa: A001
    """Return the part from `begin` up to, not including, `end`."""
    index = tuple(builtins.slice(start, stop) for start, stop in zip(begin, end, strict=True))
    return _like(tensor, tensor.data[index])


def concat(tensors: Sequence[Value], dim: int = 0) -> Value:
    """Join values along a dimension."""
    return _like(tensors[0], torch.cat([tensor.data for tensor in tensors], dim))


def argmax(tensor: Value, dim: int = -1, keepdim: bool = False) -> Value:
    """Return the index of the greatest element along a dimension, UINT32."""
    return Value(tensor.data.argmax(dim, keepdim), DataType.UINT32, Layout.ROW_MAJOR)


def topk(
    tensor: Value,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,  # noqa: A002
) -> tuple[Value, Value]:
    """Return the k greatest (or least) elements along a dimension, and their indices, UINT32."""
    best, index = tensor.data.topk(k, dim, largest, sorted)
    return _like(tensor, best), Value(index, DataType.UINT32, Layout.ROW_MAJOR)


def lt(a: Value, b: Value | float) -> Value:
    """Return 1 where a < b and 0 elsewhere."""
    return _like(a, (a.data < _operand(b)).to(a.data.dtype))


def where(condition: Value, a: Value | float, b: Value | float) -> Value:
    """Return a where `condition` is not 0, and b elsewhere."""
    like = next((value for value in (a, b) if isinstance(value, Value)), condition)
    chosen = torch.where(condition.data != 0, _operand(a), _operand(b))
    return _like(like, chosen.to(like.data.dtype))


def add(a: Value, b: Value | float) -> Value:
    """Return a + b."""
    return _like(a, a.data + _operand(b))


def subtract(a: Value, b: Value | float) -> Value:
    """Return a - b."""
    return _like(a, a.data - _operand(b))


def multiply(a: Value, b: Value | float) -> Value:
    """Return a * b."""
    return _like(a, a.data * _operand(b))


def get_arch_name() -> str:
    """Return `emulated`."""
    return "emulated"


def get_num_devices() -> int:
    """Return 1."""
    return 1


def is_blackhole(device: object) -> bool:  # noqa: ARG001
    """Return False."""
    return False


def is_wormhole_b0(device: object) -> bool:  # noqa: ARG001
    """Return False."""
    return False


def _like(tensor: Value, data: torch.Tensor) -> Value:
    return Value(data, tensor.dtype, tensor.layout)


def _operand(value: Value | float) -> torch.Tensor | float:
    return value.data if isinstance(value, Value) else value
