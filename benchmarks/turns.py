"""Timing ways of doing something in turns, so that what else the machine does hits all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Way = Callable[[], object]
"""What is timed. One that times itself, to leave out what does not count, returns a ``Seconds``."""


class Seconds(float):
    """How long a way took, by its own account."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one way took for one item, in seconds."""

    name: str
    times: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of all turns."""
        return statistics.median(self.times)


@dataclass(frozen=True, slots=True)
class Result:
    """One table: what was measured, in words, how long each way took, and what there is to say of it."""

    what: str
    timings: Sequence[Timing]
    """The peer's first: what a user would otherwise use."""
    notes: Sequence[str] = ()
    rate: str = ""
    """What to call the items of a second, such as ``tokens``; empty where one is what was asked for."""


def in_turns(ways: Mapping[str, Way], turns: int, *, items: int = 1) -> list[Timing]:
    """
    Call each way once unmeasured, then all of them ``turns`` times: A B A B.

    Args:
        items: how many things a call does; times are of one.
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
