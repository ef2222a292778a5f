"""`ttnn.Tensor`: a value with a data type and a layout, and conversion from and to numpy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import torch

from . import numerics
from .chips import OnChips, on_every_chip
from .context import AutoContext
from .enums import DataType, Layout
from .placement import MeshToTensor, TensorToMesh

# UINT32 is stored as int64, which PyTorch uses for indexing and which holds every uint32.
_TORCH = {
    DataType.BFLOAT16: torch.bfloat16,
    DataType.FLOAT32: torch.float32,
    DataType.UINT32: torch.int64,
    DataType.INT32: torch.int32,
}
_NUMPY: dict[np.dtype[Any], DataType] = {
    np.dtype(ml_dtypes.bfloat16): DataType.BFLOAT16,
    np.dtype(np.float32): DataType.FLOAT32,
    np.dtype(np.uint32): DataType.UINT32,
    np.dtype(np.int32): DataType.INT32,
}


class Value(OnChips):
    """A `ttnn.Tensor`: unlike on an autograd tensor, `shape`, `dtype` and `layout` are properties.

    On a mesh they describe the part of one chip.
    """

    _symbol = "ttnn.Tensor"
    __slots__ = ("_dtype", "_layout", "data")

    def __init__(self, data: torch.Tensor, dtype: DataType, layout: Layout = Layout.TILE) -> None:
        self.chips = ()
        self.data = data
        self._dtype = dtype
        self._layout = layout

    @property
    @on_every_chip
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        return tuple(self.data.shape)

    @property
    @on_every_chip
    def dtype(self) -> DataType:
        """The data type."""
        return self._dtype

    @property
    @on_every_chip
    def layout(self) -> Layout:
        """The requested layout."""
        return self._layout

    def get_layout(self) -> Layout:
        """Return `layout`."""
        return self.layout

    def part(self, index: tuple[slice, ...]) -> torch.Tensor:
        """Return a slice of the data on one chip."""
        return self.data[index]

    def item(self) -> float | int:
        """Return the only element; RuntimeError if there are more, or on a mesh."""
        require_one_chip(self)
        return self.data.item()

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """Return a copy in the numpy type of `dtype`; RuntimeError on a mesh."""
        require_one_chip(self)
        return to_numpy(self.data, self._dtype)

    @on_every_chip
    def __repr__(self) -> str:
        return f"ttnn.Tensor(shape={list(self.shape)}, dtype={self._dtype.name}, layout={self._layout.name})"


def convert(data: torch.Tensor, dtype: DataType) -> tuple[torch.Tensor, DataType]:
    """Return `data` stored as `dtype`, and its actual type: with `fp32` numerics BFLOAT16 becomes FLOAT32.

    Raises RuntimeError for an unsupported type.
    """
    if dtype is DataType.BFLOAT16:
        dtype = numerics.current().data_type
    if dtype not in _TORCH:
        raise RuntimeError(f"the emulation does not support {dtype.name}")
    return data.to(_TORCH[dtype]), dtype


def from_numpy(array: np.ndarray[Any, Any], new_type: DataType | None) -> tuple[torch.Tensor, DataType]:
    """Return a copy of `array` stored as `new_type`, or as its own type.

    Raises RuntimeError unless `array` has 32-bit integers, float32 or `ml_dtypes.bfloat16`, like `ttml`.
    """
    kind = _NUMPY.get(np.asarray(array).dtype)
    if kind is None:
        known = ", ".join(str(dtype) for dtype in _NUMPY)
        raise RuntimeError(f"from_numpy does not support {np.asarray(array).dtype}, only {known}")
    array = np.array(array, order="C")  # a copy: the caller may reuse its buffer
    if kind is DataType.BFLOAT16:
        data = torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    elif kind is DataType.UINT32:
        data = torch.from_numpy(array.astype(np.int64))
    else:
        data = torch.from_numpy(array)
    return convert(data.to(numerics.current().device), new_type or kind)


def upload(
    array: np.ndarray[Any, Any], new_type: DataType | None, layout: Layout, mapper: TensorToMesh | None = None
) -> Value:
    """Return a copy of `array` on the device, which is opened if needed.

    On a mesh, `mapper` splits the array over the chips; without a mapper every chip gets a copy. Raises
    RuntimeError if `from_numpy` or the mapper does not support the array.
    """
    device = AutoContext.get_instance().get_device()
    if mapper is None:
        parts = [array] * device.get_num_devices()
    elif mapper.device is device:
        parts = mapper.split(np.asarray(array))
    else:
        raise RuntimeError("the mapper was made for another device than the open one")
    return Value.joined([Value(*from_numpy(part, new_type), layout) for part in parts])


def download(
    value: OnChips, parts: list[np.ndarray[Any, Any]], composer: MeshToTensor | None
) -> np.ndarray[Any, Any]:
    """Return the arrays of the chips as one array; RuntimeError on a mesh without a composer."""
    if composer is None:
        require_one_chip(value)
        return parts[0]
    return composer.join(parts)


def require_one_chip(value: OnChips) -> None:
    """Raise RuntimeError, with the message of a board, for a value on several chips."""
    if value.chips:
        raise RuntimeError(
            f"Can't get a single buffer from host storage distributed over mesh of {len(value.chips)} chips. "
            "Did you forget to use mesh composer to concatenate tensor shards?"
        )


def to_numpy(data: torch.Tensor, dtype: DataType) -> np.ndarray[Any, Any]:
    """Return a copy of `data` in the numpy type of `dtype`; RuntimeError for an unsupported type."""
    if dtype not in _TORCH:
        raise RuntimeError(f"to_numpy does not support {dtype.name}")
    data = data.detach().to("cpu", _TORCH[dtype]).contiguous()
    if dtype is DataType.BFLOAT16:
        bits = data.view(torch.int16).numpy().copy()
        return bits.view(np.dtype(ml_dtypes.bfloat16))
    array = data.numpy()
    return array.astype(np.uint32) if dtype is DataType.UINT32 else array.copy()
