"""The functions of `ttnn` that NanoGPT scripts call, mostly for sampling."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

import numpy as np
import torch

from . import lazy, numerics, values
from .chips import on_every_chip
from .context import AutoContext
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
    """Return a value of `shape` with the numbers in `buffer`; on a mesh, on every chip."""
    data = torch.from_numpy(np.array(buffer)).reshape(list(shape)).to(numerics.current().device)
    return Value.joined(
        [Value(*values.convert(data.clone(), dtype), layout) for _ in range(get_num_devices())]
    )


def full(
    shape: Sequence[int],
    fill_value: float,
    dtype: DataType = DataType.BFLOAT16,
    layout: Layout = Layout.TILE,
    device: MeshDevice | None = None,  # noqa: ARG001
) -> Value:
    """Return `shape` filled with one number; on a mesh, on every chip."""
    return Value.joined([_full(shape, fill_value, dtype, layout) for _ in range(get_num_devices())])


def zeros(
    shape: Sequence[int],
    dtype: DataType = DataType.BFLOAT16,
    layout: Layout = Layout.TILE,
    device: MeshDevice | None = None,
) -> Value:
    """Return `shape` filled with 0."""
    return full(shape, 0, dtype, layout, device)


def ones(
    shape: Sequence[int],
    dtype: DataType = DataType.BFLOAT16,
    layout: Layout = Layout.TILE,
    device: MeshDevice | None = None,
) -> Value:
    """Return `shape` filled with 1."""
    return full(shape, 1, dtype, layout, device)


def empty(
    shape: Sequence[int],
    dtype: DataType = DataType.BFLOAT16,
    layout: Layout = Layout.TILE,
    device: MeshDevice | None = None,
) -> Value:
    """Return a value of `shape`; it is 0 here, and undefined on a board."""
    return full(shape, 0, dtype, layout, device)


@on_every_chip
def fill(tensor: Value, fill_value: float, output_tensor: Value | None = None) -> Value:
    """Return a value with the shape of `tensor`, filled with one number; reuse `output_tensor` if given."""
    filled = _full(tensor.shape, fill_value, tensor.dtype, tensor.layout)
    if output_tensor is None:
        return filled
    lazy.materialize_all()
    output_tensor.data.copy_(filled.data)
    return output_tensor


@on_every_chip
def full_like(tensor: Value, fill_value: float, dtype: DataType | None = None) -> Value:
    """Return a value with the shape of `tensor`, filled with one number."""
    return _full(tensor.shape, fill_value, dtype or tensor.dtype, tensor.layout)


@on_every_chip
def clone(tensor: Value) -> Value:
    """Return a copy."""
    return Value(tensor.data.clone(), tensor.dtype, tensor.layout)


def deallocate(tensor: Value) -> None:
    """Do nothing: memory is freed when it is no longer used."""


@on_every_chip
def typecast(tensor: Value, dtype: DataType) -> Value:
    """Return the value in another type."""
    return Value(*values.convert(tensor.data, dtype), tensor.layout)


@on_every_chip
def reshape(tensor: Value, shape: Sequence[int]) -> Value:
    """Return the same numbers in another shape."""
    return _like(tensor, tensor.data.reshape(list(shape)))


@on_every_chip
def slice(  # noqa: A001
    tensor: Value, begin: Sequence[int], end: Sequence[int], step: Sequence[int] | None = None
) -> Value:
    """Return the elements from `begin` to `end`, exclusive, in steps of `step`."""
    steps = [1] * len(begin) if step is None else step
    index = tuple(builtins.slice(*bounds) for bounds in zip(begin, end, steps, strict=True))
    return _like(tensor, tensor.part(index))


def concat(tensors: Sequence[Value], dim: int = 0) -> Value:
    """Join values along a dimension."""
    return _concat(dim, *tensors)


@on_every_chip
def _concat(dim: int, *tensors: Value) -> Value:
    return _like(tensors[0], torch.cat([tensor.data for tensor in tensors], dim))


@on_every_chip
def argmax(tensor: Value, dim: int = -1, keepdim: bool = False) -> Value:
    """Return the index of the greatest element along a dimension, UINT32."""
    return Value(tensor.data.argmax(dim, keepdim), DataType.UINT32, Layout.ROW_MAJOR)


@on_every_chip
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


@on_every_chip
def lt(a: Value, b: Value | float) -> Value:
    """Return 1 where a < b and 0 elsewhere."""
    return _like(a, (a.data < _operand(b)).to(a.data.dtype))


@on_every_chip
def where(condition: Value, a: Value | float, b: Value | float) -> Value:
    """Return a where `condition` is not 0, and b elsewhere."""
    like = next((value for value in (a, b) if isinstance(value, Value)), condition)
    chosen = torch.where(condition.data != 0, _operand(a), _operand(b))
    return _like(like, chosen.to(like.data.dtype))


@on_every_chip
def add(a: Value, b: Value | float) -> Value:
    """Return a + b."""
    return _like(a, a.data + _operand(b))


@on_every_chip
def subtract(a: Value, b: Value | float) -> Value:
    """Return a - b."""
    return _like(a, a.data - _operand(b))


@on_every_chip
def multiply(a: Value, b: Value | float) -> Value:
    """Return a * b."""
    return _like(a, a.data * _operand(b))


def get_arch_name() -> str:
    """Return `emulated`."""
    return "emulated"


def get_num_devices() -> int:
    """Return the number of open chips; 1 if no device is open, because there is no board."""
    device = AutoContext.get_instance().opened()
    return 1 if device is None else device.get_num_devices()


def get_device_tensors(tensor: Value) -> list[Value]:
    """Return the part of each chip."""
    return list(tensor.parts)


def is_blackhole(device: object) -> bool:  # noqa: ARG001
    """Return False."""
    return False


def is_wormhole_b0(device: object) -> bool:  # noqa: ARG001
    """Return False."""
    return False


def _full(shape: Sequence[int], value: float, dtype: DataType, layout: Layout) -> Value:
    data = torch.full(list(shape), float(value), device=numerics.current().device)
    return Value(*values.convert(data, dtype), layout)


def _like(tensor: Value, data: torch.Tensor) -> Value:
    return Value(data, tensor.dtype, tensor.layout)


def _operand(value: Value | float) -> torch.Tensor | float:
    return value.data if isinstance(value, Value) else value
