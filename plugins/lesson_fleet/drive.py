"""The loop of a fleet run: hand out cells, take what comes back, hand out again what was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lesson_fleet.cells import Cell
from lesson_fleet.collect import Collector
from lesson_fleet.table import outcome

ATTEMPTS = 4
"""How often a cell is given to a worker, if worker after worker is lost."""
PATIENCE = 60.0
"""Seconds that a cell waits for hardware that has left the cluster."""
TICK = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    What became of a cell that a worker had.

    Attributes:
        answer: what the worker returned.
        lost: why there is no answer: the worker, or its machine, is gone.
        broken: why there is no answer, and another worker would not have one either.
    """

    cell: Cell
    answer: Mapping[str, Any] | None = None
    lost: str | None = None
    broken: str | None = None


class Engine(Protocol):
    """What runs cells elsewhere."""

    def offered(self) -> Mapping[str, float]:
        """Return how many boards of each kind the living workers have."""

    def submit(self, cell: Cell) -> None:
        """Have a worker run a cell as soon as it has a free board of its kind."""

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        """Wait for at most so many seconds, and return what has come back."""

    def cancel(self, cell: Cell) -> None:
        """Do not run a cell after all, or end it."""


def drive(
    engine: Engine, collector: Collector, tell: Callable[[str], None], *, patience: float = PATIENCE
) -> None:
    """
    Run every waiting cell, until each has its one result.

    Args:
        engine: where the cells run.
        collector: where the results go.
        tell: called with a line for people whenever something happened.
        patience: how many seconds a cell waits for hardware that has left the cluster.
    """
    total = len(collector.waiting())
    absent: dict[str, float] = {}
    for cell in collector.waiting():
        collector.started(cell)
        engine.submit(cell)
    while collector.waiting():
        for arrival in engine.arrived(TICK):
            _take(arrival, engine, collector, tell, total)
        _give_up_on_absent(engine, collector, tell, absent, patience)


def _take(
    arrival: Arrival, engine: Engine, collector: Collector, tell: Callable[[str], None], total: int
) -> None:
    cell = arrival.cell
    if arrival.answer is not None:
        if not collector.take(cell, arrival.answer):
            tell(f"{cell}: a second result came from {arrival.answer['host']}; the first one is kept")
            return
    elif arrival.broken is not None:
        collector.give_up(cell, "failed", arrival.broken)
    else:
        reason = arrival.lost or "the worker is gone"
        collector.worker_lost(cell, reason)
        if collector.result(cell)["attempts"] < ATTEMPTS:
            tell(f"{cell}: the worker was lost, and the lesson is given to another: {reason}")
            collector.started(cell)
            engine.submit(cell)
            return
        collector.give_up(cell, "lost", f"{ATTEMPTS} workers were lost one after another; the last: {reason}")
    tell(f"{total - len(collector.waiting())}/{total} {cell}: {outcome(collector.result(cell))}")


def _give_up_on_absent(
    engine: Engine,
    collector: Collector,
    tell: Callable[[str], None],
    absent: dict[str, float],
    patience: float,
) -> None:
    """End the cells whose hardware has been gone from the cluster for too long: Ray would wait for ever."""
    offered, clock = engine.offered(), time.monotonic()
    for kind in {cell.hardware for cell in collector.waiting()}:
        if offered.get(kind):
            absent.pop(kind, None)
        elif kind not in absent:
            absent[kind] = clock
            tell(f"{kind}: no worker has one any more; waiting {patience:g} s for one to come back")
        elif clock - absent[kind] >= patience:
            for cell in [cell for cell in collector.waiting() if cell.hardware == kind]:
                engine.cancel(cell)
                message = f"for {patience:g} s no worker of the cluster has had this hardware any more"
                collector.give_up(cell, "lost", message)
                tell(f"{cell}: {outcome(collector.result(cell))}")
