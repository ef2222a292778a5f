"""Mappers, which split an array over the chips of a mesh, and composers, which join the parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .device import MeshDevice, MeshShape

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TensorToMesh:
    """A mapper: how an array is spread over a mesh.

    Args:
        dim: the dimension of the array to split into equal parts; None gives every chip the whole array.
        axis: the mesh axis along which chips get different parts (0 for rows, 1 for columns); chips that
            differ only along the other axis get the same part. None splits over all chips.
    """

    device: MeshDevice
    dim: int | None
    axis: int | None = None

    def split(self, array: Array) -> list[Array]:
        """Return each chip's part; RuntimeError if the dimension is missing or not divisible."""
        count = self.device.get_num_devices()
        if self.dim is None:
            return [array] * count
        groups = self.device.groups(self.axis)
        ways = len(groups[0])
        if not -array.ndim <= self.dim < array.ndim:
            raise RuntimeError(f"an array of shape {list(array.shape)} has no dimension {self.dim} to shard")
        if array.shape[self.dim] % ways:
            raise RuntimeError(
                f"dimension {self.dim} of shape {list(array.shape)} is {array.shape[self.dim]}: "
                f"it does not divide over {ways} chips"
            )
        pieces = np.split(array, ways, self.dim)
        parts = {chip: piece for group in groups for chip, piece in zip(group, pieces, strict=True)}
        return [parts[chip] for chip in range(count)]


@dataclass(frozen=True)
class MeshComposerConfig:
    """How to join the parts of a mesh: along `dims[i]` for axis i of `mesh_shape_override`."""

    dims: tuple[int, ...]
    mesh_shape_override: MeshShape


@dataclass(frozen=True)
class MeshToTensor:
    """A composer: how to join the parts of all chips, including copies, into one array."""

    config: MeshComposerConfig

    def join(self, parts: Sequence[Array]) -> Array:
        """Join the parts, given in row-major order, into one array; RuntimeError if their number is wrong."""
        shape = self.config.mesh_shape_override
        if shape.mesh_size() != len(parts):
            raise RuntimeError(
                f"the composer is for {shape.mesh_size()} chips, but the tensor is on {len(parts)}"
            )
        joined = list(parts)
        for ways, dim in reversed(list(zip(shape, self.config.dims, strict=True))):
            joined = [np.concatenate(joined[at : at + ways], dim) for at in range(0, len(joined), ways)]
        return joined[0]
