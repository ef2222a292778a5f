"""`ttml.autograd.ParallelismContext`: the mesh axis for data parallelism.

The other kinds of parallelism in `ttml` are not emulated.
"""

from __future__ import annotations

from dataclasses import dataclass

from .device import MeshDevice


@dataclass
class DistributedConfig:
    """The kinds of parallelism to use."""

    enable_ddp: bool = False
    enable_tp: bool = False
    enable_cp: bool = False


class ParallelismContext:
    """The axis of data parallelism and its size.

    Raises RuntimeError for tensor or context parallelism, and unless the mesh is a line with data
    parallelism. On a board, a two-dimensional mesh needs a kind of parallelism for each axis.
    """

    def __init__(self, device: MeshDevice, config: DistributedConfig) -> None:
        for flag, kind in (("enable_tp", "tensor"), ("enable_cp", "context")):
            if getattr(config, flag):
                raise RuntimeError(f"{flag}: {kind} parallelism is not emulated; use enable_ddp")
        if min(device.shape) > 1:
            raise RuntimeError(
                f"For 2D mesh (shape {device.shape}), number of enabled parallelization axes "
                f"({int(config.enable_ddp)}) must equal mesh dimensions (2); the emulation has one kind"
            )
        if not config.enable_ddp:
            raise RuntimeError(
                f"For line mesh topology (shape {device.shape}), exactly one parallelism type must be "
                "enabled; enable_ddp is off"
            )
        self._axis = 1 if device.shape[1] > 1 else 0
        self._size = device.shape[self._axis]

    def is_ddp_enabled(self) -> bool:
        """Return True: a context always has data parallelism."""
        return True

    def is_tp_enabled(self) -> bool:
        """Return False."""
        return False

    def get_ddp_axis(self) -> int:
        """Return the mesh axis along which the model is replicated."""
        return self._axis

    def get_ddp_size(self) -> int:
        """Return the number of replicas."""
        return self._size

    def get_tp_axis(self) -> None:
        """Return None: nothing is split."""

    def get_tp_size(self) -> int:
        """Return 1."""
        return 1
