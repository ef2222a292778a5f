"""`ttml.core.utils.MemoryUsageTracker`: the memory of the emulation's tensors, phase by phase.

The numbers are bytes of PyTorch tensors in this process, counted at every operation. They differ from a
board's: the emulation keeps extra float32 copies, while a board pads to tiles and has additional buffers.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .enums import GraphRunMode
from .missing import NotEmulatedCallError, message

TRACKER = (
    "begin_capture",
    "clear",
    "end_capture",
    "get_dram_usage",
    "get_dram_usage_all",
    "get_l1_usage",
    "get_l1_usage_all",
    "get_trace_names",
    "print_memory_usage",
    "snapshot",
)
_MB = 2**20


@dataclass(frozen=True)
class DRAMUsage:
    """Memory of a phase in bytes; the peak is relative to the memory in use when the phase began."""

    peak: int
    total_allocations: int
    total_deallocations: int


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in PyTorch
    """Counts the memory of tensors; earlier tensors only count when they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        self._known: dict[int, weakref.ref[Any]] = {}
        self._began = self._now = self._peak = self._came = self._gone = 0
        self._watching = True
        for thing in gc.get_objects():
            if issubclass(type(thing), torch.Tensor):  # isinstance could run code of proxy objects
                self._know(thing)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        # Inputs count too: arrays from numpy become tensors without an operation.
        for tensor in tree_leaves((args, kwargs, out)):
            if isinstance(tensor, torch.Tensor):
                size = self._know(tensor)
                self._came += size
                self._now += size
        self._peak = max(self._peak, self._now)
        return out

    def _know(self, tensor: torch.Tensor) -> int:
        """Track a tensor, and return its size in bytes if it was not tracked yet, else 0."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return 0

        def free(_: object) -> None:
            del self._known[key]
            if self._watching:
                self._gone += size
                self._now -= size

        self._known[key] = weakref.ref(storage, free)
        return size

    def finish_phase(self) -> DRAMUsage:
        """Return the usage since the last phase ended."""
        usage = DRAMUsage(self._peak - self._began, self._came, self._gone)
        self._began = self._peak = self._now
        self._came = self._gone = 0
        return usage

    def stop(self) -> None:
        """Stop tracking."""
        self._watching = False
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]  # untyped in PyTorch


_watch: _Watch | None = None
_phases: dict[str, DRAMUsage] = {}


class Guard:
    """Ends the capture and clears the phases at the end of a `with` block, unless it was released."""

    def __init__(self) -> None:
        self._released = False

    def release(self) -> None:
        """Keep the capture and its phases."""
        self._released = True

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *error: object) -> None:
        if not self._released:
            clear()


def begin_capture(mode: GraphRunMode = GraphRunMode.NORMAL) -> Guard:
    """Start tracking.

    Raises RuntimeError if a capture is running, and NotEmulatedCallError for NO_DISPATCH, because the
    emulation cannot compute without using memory.
    """
    global _watch
    if mode is not GraphRunMode.NORMAL:
        raise NotEmulatedCallError(message("ttml.core.utils.MemoryUsageTracker with RunMode.NO_DISPATCH"))
    if _watch is not None:
        raise RuntimeError("begin_capture was called while a capture is running")
    _phases.clear()
    _watch = _Watch()
    _watch.__enter__()  # type: ignore[no-untyped-call]  # untyped in PyTorch
    return Guard()


def snapshot(name: str) -> None:
    """End a phase and name it; RuntimeError without a capture."""
    if _watch is None:
        raise RuntimeError(f"snapshot {name!r} was called without begin_capture")
    _phases[name] = _watch.finish_phase()


def end_capture(name: str = "END_TRACE") -> None:
    """End the last phase and the capture; RuntimeError without one."""
    global _watch
    snapshot(name)
    if _watch is not None:
        _watch.stop()
    _watch = None


def clear() -> None:
    """End the capture, if one is running, and clear the phases."""
    if _watch is not None:
        end_capture()
    _phases.clear()


def get_trace_names() -> list[str]:
    """Return the phases' names in order."""
    return list(_phases)


def get_dram_usage(name: str) -> DRAMUsage:
    """Return a phase; RuntimeError if there is none of that name."""
    if name not in _phases:
        raise RuntimeError(f"there is no phase {name!r}; known: {', '.join(_phases) or 'none'}")
    return _phases[name]


def get_dram_usage_all() -> list[tuple[str, DRAMUsage]]:
    """Return the phases in order."""
    return list(_phases.items())


def get_l1_usage(name: str) -> None:
    """Raise NotEmulatedCallError: emulated cores have no local memory."""
    raise NotEmulatedCallError(message(f"ttml.core.utils.MemoryUsageTracker.get_l1_usage ({name})"))


def get_l1_usage_all() -> None:
    """Raise NotEmulatedCallError: emulated cores have no local memory."""
    raise NotEmulatedCallError(message("ttml.core.utils.MemoryUsageTracker.get_l1_usage_all"))


def print_memory_usage() -> None:
    """Print the phases, in MB of 2^20 bytes."""
    print("Memory of the emulation's tensors in this process; it differs on a board")  # noqa: T201
    current = most = 0
    for name, usage in _phases.items():
        change = usage.total_allocations - usage.total_deallocations
        most = max(most, current + usage.peak)
        current += change
        print(f"--- {name} ---")  # noqa: T201
        _print_row(
            ("Segment Peak", usage.peak),
            ("Allocations", usage.total_allocations),
            ("Deallocations", usage.total_deallocations),
            ("Segment Change", change),
        )
        _print_row(("Cumulative Peak", most), ("Cumulative Current", current))


def _print_row(*figures: tuple[str, int]) -> None:
    print("  Emulation: " + ", ".join(f"{name} {size / _MB:.2f} MB" for name, size in figures))  # noqa: T201
