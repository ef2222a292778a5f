"""`ttml.common.profiler_utils`: markers in a device profile. Without a device, nothing is written."""

from __future__ import annotations

from typing import TypeVar

from .context import AutoContext
from .tensor import Tensor

__all__ = ["profiler_marker", "profiler_marker_end", "profiler_marker_start"]

Marked = TypeVar("Marked", Tensor, None)


def profiler_marker(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Call `Profiler.read_results` of the context's profiler, and return `x`.

    A board adds a second marker in the backward pass. It would have no effect here, so it is left out.
    """
    context = AutoContext.get_instance()
    context.get_profiler().read_results(
        context.get_device(), name if x is None else f"[FWD] {name}", dump_results=dump_results
    )
    return x


def profiler_marker_start(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Mark the beginning of a zone."""
    return profiler_marker(x, f"[START] {name}", dump_results)


def profiler_marker_end(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Mark the end of a zone."""
    return profiler_marker(x, f"[END] {name}", dump_results)
