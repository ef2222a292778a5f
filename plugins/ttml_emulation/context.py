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

DEFAULT_SEED = 5489  # std::mt19937's own default, which the device context keeps


class _Output(Protocol):
    """An output of an operation, such as a tensor."""

    def set_node(self, node: Node | None) -> None:
        """Set the operation that made it."""


class Profiler:
    """Stands in for the device profiler; there is nothing to read from an emulated device."""

    def read_results(self, device: object, name: str, dump_results: bool = False) -> None:
        """Do nothing."""


class AutoContext(Partial):
    """The singleton that operations and random numbers depend on.

    `std::mt19937` and numpy's legacy generator are the same algorithm with the same seeding, so the sequence
    of dropout seeds equals the one a board draws.
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
        """Forget the context: the next one starts with no device, no graph and the default seed."""
        if AutoContext._instance is not None:
            AutoContext._instance.reset_graph()
        AutoContext._instance = None

    # --- the device

    def open_device(
        self, mesh_shape: Sequence[int] | None = None, device_ids: Sequence[int] | None = None
    ) -> None:
        """Open the device: one chip, or a mesh of `mesh_shape` chips.

        Raises RuntimeError if it is open, if `mesh_shape` is not two integers whose product is 1 to 32, or if
        `device_ids` are not one a chip.
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
        """Close the device and take the links between chips down; nothing happens if it is not open.

        A parallelism context stays, as on a board.
        """
        self._device = None
        self._fabric = False

    def set_fabric(self, enabled: bool) -> None:
        """Say whether the next device to be opened gets links between its chips."""
        self._fabric = enabled

    def initialize_parallelism_context(self, config: DistributedConfig) -> None:
        """Say what the mesh's axes are for, once in a process; RuntimeError the second time.

        Opens a device if none is open. See `ParallelismContext` for the configurations that raise.
        """
        if self._parallelism is not None:
            raise RuntimeError("ParallelismContext is already initialized.")
        self._parallelism = ParallelismContext(self.get_device(), config)

    def is_parallelism_context_initialized(self) -> bool:
        """Return whether `initialize_parallelism_context` was called."""
        return self._parallelism is not None

    def get_parallelism_context(self) -> ParallelismContext:
        """Return what the axes are for; RuntimeError if nobody said."""
        if self._parallelism is None:
            raise RuntimeError("ParallelismContext is not initialized.")
        return self._parallelism

    def get_profiler(self) -> Profiler:
        """Return a profiler that does nothing."""
        return Profiler()

    def close_profiler(self) -> None:
        """Do nothing: a profiler holds nothing."""

    # --- random numbers

    def set_seed(self, seed: int) -> None:
        """Restart the generator that dropout draws its seeds from; `seed` is an unsigned 32-bit integer."""
        if not 0 <= seed < 2**32:
            raise ValueError(f"a seed is an unsigned 32-bit integer, not {seed}")
        self._seed = seed
        self._generator = np.random.RandomState(seed)

    def get_seed(self) -> int:
        """Return the seed that was set last."""
        return self._seed

    def draw_seed(self) -> int:
        """Return the generator's next 32 bits."""
        return int(self._generator.randint(0, 2**32, dtype=np.uint32))

    def get_generator_state(self) -> object:
        """Return where the generator stands, for `set_generator_state`."""
        return self._generator.get_state()

    def set_generator_state(self, state: Any) -> None:
        """Put the generator where it stood when `get_generator_state` returned `state`."""
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
        """Record an operation whose gradients `grad_fn` computes; None if recording is off.

        `links` are the nodes of the inputs (None for a leaf). With `outputs`, the node becomes theirs.
        """
        if self._mode is GradMode.DISABLED:
            return None
        node = self._tape.record(grad_fn, links)
        for output in outputs or ():
            output.set_node(node)
        return node

    def reset_graph(self) -> None:
        """Drop every recorded operation and what it keeps alive; call it after each step and inference."""
        self._tape.reset()
