"""Timing several variants in turns, so that other work on the machine affects all of them equally."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Way = Callable[[], object]
"""A call to time. One that times itself, to leave out what does not count, returns ``Seconds``."""


class Seconds(float):
    """How long a call took, as it measured itself."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one variant took for one item, in seconds."""

    name: str
    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of all turns."""
        return statistics.median(self.times)


@dataclass(frozen=True, slots=True)
class Result:
    """One table: a description of what was measured, how long each variant took, and notes."""

    what: str
    timings: Sequence[Timing]
    """The peer's time is first: what a user would otherwise use."""
    notes: Sequence[str] = ()
    rate: str = ""
    """The name of the items in a rate per second, such as ``tokens``; empty if no rate is wanted."""


def in_turns(ways: Mapping[str, Way], turns: int, *, items: int = 1) -> list[Timing]:
    """
    Call each variant once without measuring it, then all of them ``turns`` times: A B A B.

    Args:
        items: how many items a call processes; times are for one item.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call()
    for _ in range(turns):
        for name, call in ways.items():
            gc.collect()
            began = time.perf_counter()
            told = call()
            spent = told if isinstance(told, Seconds) else time.perf_counter() - began
            times[name].append(spent / items)
    return [Timing(name, tuple(measured)) for name, measured in times.items()]
