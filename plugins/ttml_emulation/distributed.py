"""`ttml.core.distributed`: shard tensors over the chips of a mesh, and reduce over the chips."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .context import AutoContext
from .device import MeshDevice, MeshShape
from .modules import NamedParameters
from .placement import MeshComposerConfig, MeshToTensor, TensorToMesh
from .ttnn_ops import multiply
from .values import Value


def enable_fabric(num_devices: int) -> None:
    """Enable the links between chips for the next device that is opened; one chip has none.

    A mesh can be opened without links, as on a board, but the first collective operation raises then.
    """
    if num_devices > 1:
        AutoContext.get_instance().set_fabric(True)


def disable_fabric() -> None:
    """Disable the links for the next device that is opened; closing a device does this too."""
    AutoContext.get_instance().set_fabric(False)


def shard_tensor_to_mesh_mapper(
    device: MeshDevice, dim: int, cluster_axis: int | None = None
) -> TensorToMesh:
    """Return a mapper that splits dimension `dim` into equal parts, one for each chip along `cluster_axis`.

    With None, it splits over all chips. Chips that differ only along the other axis get the same part. Using
    the mapper raises RuntimeError if the dimension does not divide evenly.
    """
    return TensorToMesh(device, dim, cluster_axis)


def replicate_tensor_to_mesh_mapper(device: MeshDevice) -> TensorToMesh:
    """Return a mapper that gives every chip a copy, which is also the default."""
    return TensorToMesh(device, None)


def concat_mesh_to_tensor_composer(mesh_device: MeshDevice, dim: int) -> MeshToTensor:
    """Return a composer that concatenates the parts of all chips, including copies, along `dim`."""
    return MeshToTensor(MeshComposerConfig((dim,), MeshShape(mesh_device.get_num_devices())))


def create_mesh_composer_config(
    dims: Sequence[int], mesh_shape_override: Sequence[int]
) -> MeshComposerConfig:
    """Return the configuration of a composer that joins axis i of a mesh of that shape along `dims[i]`.

    Raises RuntimeError unless there is a dimension for each axis.
    """
    if len(dims) != len(mesh_shape_override):
        raise RuntimeError(f"{len(dims)} dimensions do not fit a mesh with {len(mesh_shape_override)} axes")
    return MeshComposerConfig(tuple(dims), MeshShape(mesh_shape_override))


def create_mesh_composer(mesh_device: MeshDevice, config: MeshComposerConfig) -> MeshToTensor:
    """Return a composer; RuntimeError if `config` is for another number of chips."""
    if config.mesh_shape_override.mesh_size() != mesh_device.get_num_devices():
        raise RuntimeError(
            f"a composer for {config.mesh_shape_override} does not fit a mesh of {mesh_device.shape}"
        )
    return MeshToTensor(config)


def all_reduce(tensor: Value, cluster_axis: int | None = None) -> Value:
    """Return the sum over the chips along `cluster_axis` (None: all chips), on each of these chips.

    The values are added in the order of the mesh, and the sum is rounded after each addition, as in a ring
    where each chip adds its value to the sum from its neighbour. A board may start at another chip; for two
    chips the order does not matter. Raises RuntimeError if the mesh was opened without `enable_fabric`.
    """
    if not tensor.chips:
        return tensor
    device = AutoContext.get_instance().get_device()
    groups = device.groups(cluster_axis)
    if len(groups[0]) > 1 and not device.fabric:
        raise RuntimeError(
            "Trying to get un-initialized fabric context: call enable_fabric before the mesh is opened"
        )
    sums: dict[int, Value] = {}
    for group in groups:
        total = tensor.chips[group[0]].data
        for chip in group[1:]:
            total = total + tensor.chips[chip].data
        sums |= {chip: Value(total.clone(), tensor.dtype, tensor.layout) for chip in group}
    return Value.joined([sums[chip] for chip in range(len(sums))])


def average_gradients(parameters: NamedParameters, cluster_axes: Sequence[int]) -> None:
    """Replace every gradient by its mean over the chips along `cluster_axes`: their sum, times 1 / n.

    Sum and product are rounded. Raises RuntimeError if the mesh does not have an axis, or has no links
    between the chips.
    """
    device = AutoContext.get_instance().get_device()
    count = math.prod(len(device.groups(axis)[0]) for axis in cluster_axes)
    if count == 1:
        return
    for tensor in parameters.values():
        if tensor.is_grad_initialized():
            total = tensor.get_grad()
            for axis in cluster_axes:
                total = all_reduce(total, axis)
            tensor.set_grad(multiply(total, 1 / count))


def synchronize_gradients(parameters: NamedParameters, cluster_axes: Sequence[int] | None = None) -> None:
    """Replace every gradient by its mean over the chips along `cluster_axes`.

    By default the axis is the data-parallel axis of the parallelism context. As in recent versions of `ttml`,
    nothing happens then unless `initialize_parallelism_context` was called.
    """
    if cluster_axes is None:
        context = AutoContext.get_instance()
        if not context.is_parallelism_context_initialized():
            return
        cluster_axes = [context.get_parallelism_context().get_ddp_axis()]
    average_gradients(parameters, cluster_axes)
