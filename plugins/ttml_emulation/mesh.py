"""`ttml.Mesh` and related functions: meshes with named axes, as in recent versions of `ttml`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from . import distributed
from .context import AutoContext
from .device import MeshDevice
from .modules import NamedParameters
from .placement import TensorToMesh


class Mesh:
    """The shape of a mesh and the names of its axes; ValueError unless each axis has a name.

    By convention `dp` is the axis along which the model is copied, and `_0` an axis without a meaning.
    """

    def __init__(self, shape: Sequence[int], axis_names: Sequence[str]) -> None:
        if len(shape) != len(axis_names):
            raise ValueError("each axis in a mesh must have an assigned name")
        self.shape = tuple(shape)
        self.axis_names = tuple(axis_names)

    def num_devices(self) -> int:
        """Return the number of chips."""
        return math.prod(self.shape)

    def has_axis(self, name: str) -> bool:
        """Return whether the mesh has an axis of that name."""
        return name in self.axis_names

    def axis_index(self, name: str) -> int:
        """Return the index of an axis in the shape; RuntimeError if there is no such axis."""
        if name not in self.axis_names:
            raise RuntimeError(f"Mesh has no axis named '{name}'. Its axes: {', '.join(self.axis_names)}")
        return self.axis_names.index(name)

    def axis_size(self, name: str) -> int:
        """Return the number of chips along an axis; RuntimeError if there is no such axis."""
        return self.shape[self.axis_index(name)]

    def axis_mapper(self, name: str, tdim: int) -> TensorToMesh:
        """Return a mapper that splits a tensor's dimension `tdim` over the chips along an axis."""
        device = AutoContext.get_instance().get_device()
        return distributed.shard_tensor_to_mesh_mapper(device, tdim, self.axis_index(name))

    def __repr__(self) -> str:
        return f"Mesh(shape={self.shape}, axis_names={self.axis_names})"


_opened: tuple[Mesh, MeshDevice] | None = None


def open_device_mesh(mesh: Sequence[int] | Mesh, device_ids: Sequence[int] | None = None) -> None:
    """Open the chips of a mesh with links between them; the axes of a tuple are named `_0`, `_1`.

    Raises RuntimeError like `AutoContext.open_device`; the links are disabled again then.
    """
    global _opened
    if not isinstance(mesh, Mesh):
        mesh = Mesh(mesh, [f"_{axis}" for axis in range(len(mesh))])
    context = AutoContext.get_instance()
    if context.opened() is None:
        distributed.enable_fabric(mesh.num_devices())
    try:
        context.open_device(mesh.shape, device_ids)
    except RuntimeError:
        if context.opened() is None:
            distributed.disable_fabric()
        raise
    _opened = mesh, context.get_device()


def close_device_mesh() -> None:
    """Close the mesh, if one is open."""
    global _opened
    AutoContext.get_instance().close_device()
    _opened = None


def maybe_mesh() -> Mesh | None:
    """Return the open mesh, or None; a device from `open_device` has no axis names and does not count."""
    if _opened is None or _opened[1] is not AutoContext.get_instance().opened():
        return None
    return _opened[0]


def mesh() -> Mesh:
    """Return the open mesh; RuntimeError if there is none."""
    opened = maybe_mesh()
    if opened is None:
        raise RuntimeError(
            "Device mesh is not initialized. "
            "Use ttml.open_device_mesh(ttml.Mesh(shape, axis_names)) to initialize the mesh."
        )
    return opened


def sync_gradients(parameters: NamedParameters, axis_names: Sequence[str] = ("dp",)) -> None:
    """Replace every gradient by its mean over the chips along the named axes.

    Axes that the mesh does not have are ignored; without a mesh, nothing happens.
    """
    opened = maybe_mesh()
    if opened is not None:
        axes = [opened.axis_index(name) for name in axis_names if opened.has_axis(name)]
        distributed.average_gradients(parameters, axes)
