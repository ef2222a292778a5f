"""Lazy tensors, whose rows are computed when they are read.

The logits of a NanoGPT evaluation are one, `[B, 1, T, V]`. Generation only reads the tile with the last
token. Operations that do not read a part compute all rows, so a lazy tensor behaves like any other.
"""

from __future__ import annotations

from typing import Protocol

import torch

from . import lazy, numerics
from .enums import Layout, PreferredPrecision
from .tensor import Tensor
from .values import Value

Index = tuple[slice, ...]


class Rows(Protocol):
    """An object that computes rows on demand."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of all rows, `[B, 1, T, V]`."""

    def read(self, start: int, stop: int) -> torch.Tensor:
        """Return rows `start` to `stop`, exclusive: `[B, 1, stop - start, V]`."""


class LazyValue(Value):
    """A `ttnn` tensor whose rows are computed when they are read."""

    __slots__ = ("__weakref__", "_known", "_rows")

    def __init__(self, rows: Rows) -> None:
        self.chips = ()
        self._rows = rows
        self._known: torch.Tensor | None = None
        self._dtype = numerics.current().data_type
        self._layout = Layout.TILE
        lazy.register(self)

    @property
    def data(self) -> torch.Tensor:
        """All rows."""
        if self._known is None:
            self._known = self._rows.read(0, self._rows.shape[2])
        return self._known

    @data.setter
    def data(self, data: torch.Tensor) -> None:
        self._known = data

    def materialize(self) -> None:
        """Compute all rows now."""
        _ = self.data

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        return self._rows.shape

    def part(self, index: Index) -> torch.Tensor:
        """Return a part, and compute only the rows it needs."""
        start, stop, step = index[2].indices(self._rows.shape[2])
        if self._known is not None or not start < stop:
            return self.data[index]
        return self._rows.read(start, stop)[(*index[:2], slice(0, None, step), *index[3:])]


class LazyTensor(Tensor):
    """An autograd tensor whose rows are computed when they are read; it does not require a gradient."""

    __slots__ = ("_value",)

    def __init__(self, rows: Rows) -> None:
        super().__init__(requires_grad=False)
        self._value: Value = LazyValue(rows)
        self._dtype = self._value.dtype

    @property
    def _data(self) -> torch.Tensor:
        return self._value.data

    @_data.setter
    def _data(self, data: torch.Tensor) -> None:
        self._value = Value(data, numerics.current().data_type)

    def shape(self) -> list[int]:
        """Return the dimensions."""
        return list(self._value.shape)

    get_shape = shape

    def get_rank(self) -> int:
        """Return the number of dimensions."""
        return len(self._value.shape)

    def get_value(self, precision: PreferredPrecision = PreferredPrecision.HALF) -> Value:
        """Return the `ttnn` tensor, whose rows are also computed when they are read."""
        return self._value if isinstance(self._value, LazyValue) else super().get_value(precision)
