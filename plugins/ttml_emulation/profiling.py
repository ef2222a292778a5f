"""`ttml.common.profiler_utils`: markers in a device's profile. There is no device, so nothing is written."""

from __future__ import annotations

from typing import TypeVar

from .context import AutoContext
from .tensor import Tensor

__all__ = ["profiler_marker", "profiler_marker_end", "profiler_marker_start"]

Marked = TypeVar("Marked", Tensor, None)


def profiler_marker(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Return `x`, after the context's profiler was told (see `Profiler.read_results`).

    A board inserts a second marker in the backward pass; a node with nothing to write is not recorded here.
    """
    context = AutoContext.get_instance()
    context.get_profiler().read_results(
        context.get_device(), name if x is None else f"[FWD] {name}", dump_results=dump_results
    )
    return x


def profiler_marker_start(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Mark where a zone begins."""
    return profiler_marker(x, f"[START] {name}", dump_results)


def profiler_marker_end(x: Marked, name: str, dump_results: bool = False) -> Marked:
    """Mark where a zone ends."""
    return profiler_marker(x, f"[END] {name}", dump_results)
