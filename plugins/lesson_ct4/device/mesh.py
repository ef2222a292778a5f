"""
One chip, or a row of chips with data parallelism.

Each chip holds the whole model and trains on its part of the batch. The gradients are averaged before every
update. The interface for this changed between versions, so the code checks which one is there. It follows the
sources of ``ttml`` and runs on emulated chips; it has not been run on boards.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lesson_runner.model.errors import HardwareError, LessonError

if TYPE_CHECKING:  # planning a lesson uses `share_problem`, and must not import numpy
    import numpy as np
    from numpy.typing import NDArray

_AXIS = "dp"
TOLERANCE = 0.05
"""
Largest allowed difference between the chips' copies of a value, relative to its largest element.

Summing bfloat16 numbers in another order changes the result by less than 1%. Gradients that were not averaged
come from different text and differ almost completely.
"""


class TooFewChipsError(HardwareError):
    """``--mesh`` asks for more chips than there are."""

    def __init__(self, wanted: int, found: int) -> None:
        some = "1 chip" if found == 1 else f"{found} chips"
        super().__init__(
            f"--mesh 1x{wanted} asks for {wanted} chips, and tt-metal finds {some}",
            fix="leave out --mesh" if found < 2 else f"use --mesh 1x{found}, or fewer",
        )


def share_problem(batch_size: int, chips: int) -> tuple[str, str] | None:
    """Return a message and a fix if a batch cannot be split evenly over the chips; otherwise ``None``."""
    if batch_size % chips == 0:
        return None
    above = -(-batch_size // chips) * chips
    sizes = f"{above - chips} or {above}" if above > chips else str(above)
    return (
        f"--batch_size {batch_size} does not divide over {chips} chips",
        f"--batch_size is the total over all chips: use {sizes}",
    )


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

    @property
    def _named(self) -> bool:
        """Whether this ``ttml`` has meshes with named axes; one early version had only part of the API."""
        names = ("open_device_mesh", "Mesh", "mesh", "sync_gradients")
        return all(callable(getattr(self._ttml, name, None)) for name in names)

    def open(self) -> None:
        """
        Open the device.

        Raises:
            RuntimeError: tt-metal cannot open it; nothing is left open.
        """
        if self.count == 1:
            self._context.open_device()
        elif self._named:
            self._ttml.open_device_mesh(self._ttml.Mesh((1, self.count), ("_0", _AXIS)))
        else:
            self._open_row()

    def _open_row(self) -> None:
        self._ttml.core.distributed.enable_fabric(self.count)
        try:
            self._context.open_device([1, self.count])
            self._prepare_averaging()
        except BaseException:
            with contextlib.suppress(Exception):  # report the first error
                self._context.close_device()
            self._drop_fabric()
            raise

    def _prepare_averaging(self) -> None:
        """
        Set up data parallelism: otherwise ``synchronize_gradients`` silently does nothing in some versions.

        This can be done once per process, and fixes the number of chips to divide the gradients by.

        Raises:
            HardwareError: it was done for another number of chips.
        """
        context = self._context
        if not hasattr(context, "initialize_parallelism_context"):
            return
        if getattr(context, "is_parallelism_context_initialized", bool)():
            before = context.get_parallelism_context().get_ddp_size()
            if before == self.count:
                return
            raise HardwareError(
                f"this ttml was set up for {before} chips, and cannot be set up again for {self.count}",
                fix=f"train on {self.count} chips in a separate run, or update tt-metal",
            )
        context.initialize_parallelism_context(
            self._ttml.autograd.DistributedConfig(enable_ddp=True, enable_tp=False)
        )

    def _drop_fabric(self) -> None:
        """Disable the fabric where closing does not; otherwise the next single chip would need it too."""
        with contextlib.suppress(Exception):  # some versions cannot do this
            self._ttml.core.distributed.disable_fabric()

    def close(self) -> None:
        """Drop the graph and close the device."""
        with contextlib.suppress(RuntimeError):  # close the device in any case
            self._context.reset_graph()
        if self.count > 1 and hasattr(self._ttml, "close_device_mesh"):
            self._ttml.close_device_mesh()
            return
        self._context.close_device()
        if self.count > 1:
            self._drop_fabric()

    def share(self, batch_size: int) -> int:
        """
        Return how many sequences of a batch each chip gets.

        Raises:
            LessonError: the batch does not divide evenly.
        """
        if problem := share_problem(batch_size, self.count):
            raise LessonError(problem[0], fix=problem[1])
        return batch_size // self.count

    def split_batch(self) -> dict[str, Any]:
        """Return arguments for ``from_numpy`` that split the first dimension over the chips."""
        if self.count == 1:
            return {}
        if self._named:
            return {"mapper": self._ttml.mesh().axis_mapper(_AXIS, 0)}
        distributed = self._ttml.core.distributed
        return {"mapper": distributed.shard_tensor_to_mesh_mapper(self._context.get_device(), 0)}

    def join(self) -> dict[str, Any]:
        """Return arguments for ``to_numpy`` that concatenate the chips' values."""
        if self.count == 1:
            return {}
        distributed = self._ttml.core.distributed
        return {"composer": distributed.concat_mesh_to_tensor_composer(self._context.get_device(), 0)}

    def average_gradients(self, parameters: Any) -> None:
        """Replace the gradients on every chip by the mean over all chips."""
        if self.count == 1:
            return
        if self._named:
            self._ttml.sync_gradients(parameters, axis_names=(_AXIS,))
        else:
            self._ttml.core.distributed.synchronize_gradients(parameters)

    def one_of(self, copies: NDArray[np.float32], what: str) -> NDArray[np.float32]:
        """
        Return the first chip's copy of a value that is the same on all chips.

        Args:
            copies: the chips' values, concatenated along the first dimension.
            what: the value's name, for the message.

        Raises:
            HardwareError: the copies differ.
        """
        if self.count == 1:
            return copies
        parts = copies.reshape(self.count, -1)
        size = float(abs(parts).max(initial=0.0))
        apart = float(abs(parts - parts[0]).max(initial=0.0))
        if apart > TOLERANCE * size:
            raise HardwareError(
                f"the {self.count} chips hold different values of {what} (they differ by {apart:.3g}, "
                f"the largest element is {size:.3g}): this ttml did not keep them in sync",
                fix="train on one chip (leave out --mesh), or with a newer tt-metal",
            )
        return copies[: len(copies) // self.count]
