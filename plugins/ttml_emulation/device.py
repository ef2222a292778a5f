"""`ttnn.MeshDevice` with one emulated device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A core grid; the emulation has one core, so that no speed is credited to cores that do not exist."""

    x: int = 1
    y: int = 1


class MeshDevice:
    """The one device of the emulation: what a script asks of a `ttnn.MeshDevice`."""

    shape = (1, 1)

    def compute_with_storage_grid_size(self) -> Grid:
        """Return a grid of 1 x 1."""
        return Grid()

    def arch(self) -> str:
        """Return `emulated`."""
        return "emulated"

    def get_num_devices(self) -> int:
        """Return 1."""
        return 1

    def __repr__(self) -> str:
        return "MeshDevice(1x1, emulated)"


def require_one(mesh_shape: Sequence[int]) -> None:
    """Raise RuntimeError unless `mesh_shape` is two integers whose product is 1."""
    shape = tuple(mesh_shape)
    if len(shape) != 2:
        raise RuntimeError(f"a mesh shape has exactly 2 dimensions, not {len(shape)}: {shape}")
    if shape != (1, 1):
        raise RuntimeError(f"the emulation has one device; it cannot open a mesh of {shape[0]} x {shape[1]}")
