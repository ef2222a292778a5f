"""
One chip, or a row of chips that share every batch.

On several chips each holds the whole model and trains on its part of the batch; the gradients are
averaged before every update. How that is said changed between versions, so it is probed for. No
machine with several chips was at hand: what is here follows ``ttml``'s sources and has not been run.
"""

from __future__ import annotations

import contextlib
from typing import Any

from lesson_runner.errors import LessonError

_AXIS = "dp"


class Chips:
    """
    The chips of a session.

    Raises:
        LessonError: a mesh with more than one row.
    """

    def __init__(self, ttml: Any, shape: tuple[int, int]) -> None:
        if shape[0] != 1 or shape[1] < 1:
            raise LessonError(
                f"--mesh is {shape[0]}x{shape[1]}", fix="--mesh must be 1xN, for N chips in a row"
            )
        self._ttml = ttml
        self.count = shape[1]

    @property
    def _context(self) -> Any:
        return self._ttml.autograd.AutoContext.get_instance()

    def open(self) -> None:
        """Open the device."""
        if self.count == 1:
            self._context.open_device()
        elif hasattr(self._ttml, "open_device_mesh"):
            self._ttml.open_device_mesh(self._ttml.Mesh((1, self.count), ("_0", _AXIS)))
        else:
            autograd = self._ttml.autograd
            self._ttml.core.distributed.enable_fabric(self.count)
            self._context.open_device([1, self.count])
            self._context.initialize_parallelism_context(
                autograd.DistributedConfig(enable_ddp=True, enable_tp=False)
            )

    def close(self) -> None:
        """Drop the graph and close the device."""
        with contextlib.suppress(RuntimeError):  # closing matters more
            self._context.reset_graph()
        if self.count > 1 and hasattr(self._ttml, "close_device_mesh"):
            self._ttml.close_device_mesh()
        else:
            self._context.close_device()

    def share(self, batch_size: int) -> int:
        """
        Return how many sequences of a batch each chip gets.

        Raises:
            LessonError: the batch does not divide.
        """
        if batch_size % self.count:
            raise LessonError(
                f"--batch_size {batch_size} does not divide over {self.count} chips",
                fix=f"--batch_size counts all chips together: use a multiple of {self.count}",
            )
        return batch_size // self.count

    def split_batch(self) -> dict[str, Any]:
        """Return the arguments of ``from_numpy`` that give each chip its part of the first dimension."""
        if self.count == 1:
            return {}
        if hasattr(self._ttml, "mesh"):
            return {"mapper": self._ttml.mesh().axis_mapper(_AXIS, 0)}
        distributed = self._ttml.core.distributed
        return {"mapper": distributed.shard_tensor_to_mesh_mapper(self._context.get_device(), 0)}

    def join(self) -> dict[str, Any]:
        """Return the arguments of ``to_numpy`` that put the chips' values one after the other."""
        if self.count == 1:
            return {}
        distributed = self._ttml.core.distributed
        return {"composer": distributed.concat_mesh_to_tensor_composer(self._context.get_device(), 0)}

    def average_gradients(self, parameters: Any) -> None:
        """Make every chip's gradients the mean over all chips."""
        if self.count == 1:
            return
        if hasattr(self._ttml, "sync_gradients"):
            self._ttml.sync_gradients(parameters, axis_names=(_AXIS,))
        else:
            self._ttml.core.distributed.synchronize_gradients(parameters)
