"""Timing two ways of doing something in turns, so that what else the machine does hits both alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one way took, in seconds."""

    name: str
    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of all turns."""
        return statistics.median(self.times)


def in_turns(ways: Mapping[str, Callable[[], object]], turns: int) -> list[Timing]:
    """Call each way once unmeasured, then all of them ``turns`` times: A B A B."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call()
    for _ in range(turns):
        for name, call in ways.items():
            gc.collect()
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return [Timing(name, tuple(measured)) for name, measured in times.items()]
