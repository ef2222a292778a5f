"""`ttnn.MeshDevice`: the emulated chips, in rows and columns; see `ttml_emulation.chips`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .missing import Partial

MOST_CHIPS = 32
"""The number of chips in a Galaxy, the largest machine that can be opened as one mesh."""


@dataclass(frozen=True)
class Grid:
    """A core grid. An emulated chip has one core, because the others do not exist."""

    x: int = 1
    y: int = 1


class MeshShape(tuple[int, ...]):
    """`ttnn.MeshShape`: rows and columns, given one by one or as a list."""

    __slots__ = ()

    def __new__(cls, *sizes: int | Iterable[int]) -> MeshShape:  # noqa: D102
        given = [size for part in sizes for size in ([part] if isinstance(part, int) else part)]
        return super().__new__(cls, given)

    def dims(self) -> int:
        """Return the number of dimensions."""
        return len(self)

    def mesh_size(self) -> int:
        """Return the number of chips."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"MeshShape({list(self)})"


class MeshDevice(Partial):
    """The open chips: the part of `ttnn.MeshDevice` that scripts use.

    Raises RuntimeError unless `shape` is two positive integers with a product of at most 32, and
    `device_ids`, if not empty, has one id for each chip.
    """

    _symbol = "ttnn.MeshDevice"
    shape: MeshShape

    def __init__(
        self, shape: Sequence[int] = (1, 1), device_ids: Sequence[int] = (), fabric: bool = False
    ) -> None:
        self.shape = _checked(shape)
        count = self.shape.mesh_size()
        self._ids = list(device_ids) or list(range(count))
        if len(self._ids) != count or len(set(self._ids)) != count:
            raise RuntimeError(f"a mesh of {count} chips cannot be opened with the device ids {self._ids}")
        self.fabric = fabric
        """Whether the chips are linked, which collective operations need."""

    def compute_with_storage_grid_size(self) -> Grid:
        """Return a grid of 1 x 1."""
        return Grid()

    def arch(self) -> str:
        """Return `emulated`."""
        return "emulated"

    def get_num_devices(self) -> int:
        """Return the number of chips."""
        return self.shape.mesh_size()

    def get_device_ids(self) -> list[int]:
        """Return the chips' ids, row by row."""
        return list(self._ids)

    def groups(self, axis: int | None) -> list[list[int]]:
        """Return groups of chip positions; the chips of a group differ along `axis` only.

        With None, all chips are one group. Raises RuntimeError if the mesh has no such axis.
        """
        rows, columns = self.shape
        if axis is None:
            return [list(range(rows * columns))]
        if axis not in (0, 1):
            raise RuntimeError(f"Cluster axis must be within mesh shape: {axis} is not, in {self.shape}")
        grid = [[row * columns + column for column in range(columns)] for row in range(rows)]
        return grid if axis else [list(column) for column in zip(*grid, strict=True)]

    def __repr__(self) -> str:
        return f"MeshDevice({self.shape[0]}x{self.shape[1]}, emulated)"


def _checked(shape: Sequence[int]) -> MeshShape:
    sizes = MeshShape(shape)
    if len(sizes) != 2:
        raise RuntimeError(f"a mesh shape has exactly 2 dimensions, not {len(sizes)}: {sizes}")
    if not all(isinstance(size, int) for size in sizes):
        raise RuntimeError(f"a mesh shape is two integers, not {sizes}")
    if min(sizes) < 1 or sizes.mesh_size() > MOST_CHIPS:
        raise RuntimeError(
            f"the emulation can open 1 to {MOST_CHIPS} chips, but not a mesh of {sizes[0]} x {sizes[1]}"
        )
    return sizes
