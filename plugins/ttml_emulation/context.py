"""`ttml.autograd.AutoContext`: the device, the seed, the gradient mode and the autograd tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from .device import MeshDevice
from .enums import GradMode
from .missing import Partial
from .parallelism import DistributedConfig, ParallelismContext
from .tape import Node, Tape

DEFAULT_SEED = 5489  # the default seed of std::mt19937, which the device context uses


class _Output(Protocol):
    """An output of an operation, such as a tensor."""

    def set_node(self, node: Node | None) -> None:
        """Set the operation that made it."""


class Profiler:
    """A profiler that does nothing; an emulated device has nothing to profile."""

    def read_results(self, device: object, name: str, dump_results: bool = False) -> None:
        """Do nothing."""


class AutoContext(Partial):
    """The singleton that holds the device, the random generator and the tape.

    `std::mt19937` and numpy's legacy generator are the same algorithm with the same seeding, so the sequence
    of dropout seeds is the same as on a board.
    """

    _symbol = "ttml.autograd.AutoContext"
    _instance: ClassVar[AutoContext | None] = None

    def __init__(self) -> None:
        self._device: MeshDevice | None = None
        self._fabric = False
        self._parallelism: ParallelismContext | None = None
        self._mode = GradMode.ENABLED
        self._tape = Tape()
        self.set_seed(DEFAULT_SEED)

    @staticmethod
    def get_instance() -> AutoContext:
        """Return the one context."""
        if AutoContext._instance is None:
            AutoContext._instance = AutoContext()
        return AutoContext._instance

    @staticmethod
    def renew() -> None:
        """Drop the context: the next one starts with no device, no graph and the default seed."""
        if AutoContext._instance is not None:
            AutoContext._instance.reset_graph()
        AutoContext._instance = None

    # --- the device

    def open_device(
        self, mesh_shape: Sequence[int] | None = None, device_ids: Sequence[int] | None = None
    ) -> None:
        """Open the device: one chip, or a mesh of `mesh_shape` chips.

        Raises RuntimeError if a device is open, if `mesh_shape` is not two integers with a product of 1 to
        32, or if `device_ids` does not have one id per chip.
        """
        if self._device is not None:
            raise RuntimeError("open_device was called after the device was created.")
        self._device = MeshDevice(
            (1, 1) if mesh_shape is None else mesh_shape, device_ids or (), self._fabric
        )

    def get_device(self) -> MeshDevice:
        """Return the device, opening it if it is not open."""
        if self._device is None:
            self.open_device()
        assert self._device is not None
        return self._device

    def opened(self) -> MeshDevice | None:
        """Return the device if it is open."""
        return self._device

    def close_device(self) -> None:
        """Close the device, if it is open, and disable the links between chips.

        A parallelism context is kept, as on a board.
        """
        self._device = None
        self._fabric = False

    def set_fabric(self, enabled: bool) -> None:
        """Set whether the next device to be opened has links between its chips."""
        self._fabric = enabled

    def initialize_parallelism_context(self, config: DistributedConfig) -> None:
        """Assign the mesh axes to kinds of parallelism, once per process; RuntimeError the second time.

        Opens a device if none is open. See `ParallelismContext` for unsupported configurations.
        """
        if self._parallelism is not None:
            raise RuntimeError("ParallelismContext is already initialized.")
        self._parallelism = ParallelismContext(self.get_device(), config)

    def is_parallelism_context_initialized(self) -> bool:
        """Return whether `initialize_parallelism_context` was called."""
        return self._parallelism is not None

    def get_parallelism_context(self) -> ParallelismContext:
        """Return the parallelism context; RuntimeError if it was not initialized."""
        if self._parallelism is None:
            raise RuntimeError("ParallelismContext is not initialized.")
        return self._parallelism

    def get_profiler(self) -> Profiler:
        """Return a profiler that does nothing."""
        return Profiler()

    def close_profiler(self) -> None:
        """Do nothing."""

    # --- random numbers

    def set_seed(self, seed: int) -> None:
        """Reset the generator of dropout seeds; `seed` is an unsigned 32-bit integer."""
        if not 0 <= seed < 2**32:
            raise ValueError(f"the seed must be an unsigned 32-bit integer, not {seed}")
        self._seed = seed
        self._generator = np.random.RandomState(seed)

    def get_seed(self) -> int:
        """Return the last seed that was set."""
        return self._seed

    def draw_seed(self) -> int:
        """Return the next 32 bits of the generator."""
        return int(self._generator.randint(0, 2**32, dtype=np.uint32))

    def get_generator_state(self) -> object:
        """Return the generator's state, for `set_generator_state`."""
        return self._generator.get_state()

    def set_generator_state(self, state: Any) -> None:
        """Restore a state that `get_generator_state` returned."""
        self._generator.set_state(state)

    # --- the tape

    def set_gradient_mode(self, mode: GradMode) -> None:
        """Switch recording on or off."""
        self._mode = mode

    def get_gradient_mode(self) -> GradMode:
        """Return whether operations are recorded."""
        return self._mode

    def add_backward_node(
        self,
        grad_fn: Callable[[], None],
        links: Sequence[Node | None],
        outputs: Sequence[_Output] | None = None,
    ) -> Node | None:
        """Record an operation whose gradients `grad_fn` computes; return None if gradients are disabled.

        `links` are the nodes of the inputs (None for a leaf). If `outputs` are given, the node is set on
        them.
        """
        if self._mode is GradMode.DISABLED:
            return None
        node = self._tape.record(grad_fn, links)
        for output in outputs or ():
            output.set_node(node)
        return node

    def reset_graph(self) -> None:
        """Drop all recorded operations and everything they keep alive; call this after each step."""
        self._tape.reset()
