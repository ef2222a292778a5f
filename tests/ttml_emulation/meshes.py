"""Open a mesh in the two ways that versions of `ttml` have, and use it like a script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from tests.ttml_emulation.oracle import Array
from tests.ttml_emulation.worlds import World

Era = Literal["fabric", "named"]
ERAS: tuple[Era, ...] = ("fabric", "named")
"""`fabric`: the first versions, without names. `named`: recent versions, with an axis called `dp`."""


@dataclass(frozen=True)
class Opened:
    """An open mesh, with the arguments that a training script passes to `from_numpy` and `to_numpy`."""

    world: World
    era: Era
    count: int
    mapper: Any
    composer: Any

    def send(self, array: Array, *, shard: bool = False) -> Any:
        """Return a BFLOAT16 tensor: a copy on every chip, or a part."""
        return self.world.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(array, dtype=np.float32),
            layout=self.world.ttnn.Layout.TILE,
            new_type=self.world.ttnn.DataType.BFLOAT16,
            mapper=self.mapper if shard else None,
        )

    def send_ids(self, array: Array) -> Any:
        return self.world.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(array, dtype=np.uint32),
            layout=self.world.ttnn.Layout.ROW_MAJOR,
            mapper=self.mapper,
        )

    def read(self, tensor: Any) -> Array:
        """Return the chips' values, `[chips, ...]`."""
        joined: Array = tensor.to_numpy(self.world.ttnn.DataType.FLOAT32, composer=self.composer)
        return joined.reshape(self.count, *tensor.shape())

    def average(self, parameters: Any) -> None:
        if self.era == "named":
            self.world.ttml.sync_gradients(parameters)
        else:
            self.world.ttml.core.distributed.synchronize_gradients(parameters)


def open_mesh(world: World, count: int, era: Era = "named") -> Opened:
    """Open a row of chips like a training script, and close it afterwards."""
    ttml = world.ttml
    context, distributed = ttml.autograd.AutoContext.get_instance(), ttml.core.distributed
    context.close_device()
    if era == "named":
        ttml.open_device_mesh(ttml.Mesh((1, count), ("_0", "dp")))
        mapper = ttml.mesh().axis_mapper("dp", tdim=0)
    else:
        distributed.enable_fabric(count)
        context.open_device([1, count])
        if not context.is_parallelism_context_initialized():
            context.initialize_parallelism_context(
                ttml.autograd.DistributedConfig(enable_ddp=True, enable_tp=False)
            )
        mapper = distributed.shard_tensor_to_mesh_mapper(context.get_device(), 0)
    composer = distributed.concat_mesh_to_tensor_composer(context.get_device(), 0)
    return Opened(world, era, count, mapper, composer)


def context(world: World) -> Any:
    return world.ttml.autograd.AutoContext.get_instance()


def distributed(world: World) -> Any:
    return world.ttml.core.distributed


def open_rows_and_columns(world: World, rows: int, columns: int) -> Any:
    distributed(world).enable_fabric(rows * columns)
    context(world).open_device([rows, columns])
    return context(world).get_device()


def held(world: World, value: Any) -> list[Array]:
    """Return the part of each chip of a `ttnn` tensor."""
    return [part.to_numpy().astype(np.float32) for part in world.ttnn.get_device_tensors(value)]
