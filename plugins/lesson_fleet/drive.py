"""The loop of a fleet run: submit cells, collect results, submit lost cells again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lesson_fleet.cells import Cell
from lesson_fleet.collect import Collector
from lesson_fleet.table import outcome

ATTEMPTS = 4
"""How many workers may be lost while they run a cell before it is given up."""
PATIENCE = 60.0
"""Seconds to wait for hardware that has left the cluster."""
TICK = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """
    What became of a cell that was submitted; one of the attributes is set.

    Attributes:
        answer: what the worker returned.
        lost: why the worker or its machine is gone; another worker may succeed.
        broken: why the worker could not run the cell; another worker could not either.
    """

    cell: Cell
    answer: Mapping[str, Any] | None = None
    lost: str | None = None
    broken: str | None = None


class Engine(Protocol):
    """Runs cells on workers."""

    def offered(self) -> Mapping[str, float]:
        """Return how many boards of each kind the living workers have."""

    def submit(self, cell: Cell) -> None:
        """Let a worker run a cell as soon as a board of its kind is free."""

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        """Return what has arrived after waiting for at most ``seconds``."""

    def cancel(self, cell: Cell) -> None:
        """Withdraw a cell, or stop it if it is running."""


def drive(
    engine: Engine, collector: Collector, notify: Callable[[str], None], *, patience: float = PATIENCE
) -> None:
    """
    Run all waiting cells until each has a result.

    Args:
        engine: where the cells run.
        collector: where the results go.
        notify: called with a line of text for each event.
        patience: how many seconds to wait for hardware that has left the cluster.
    """
    total = len(collector.waiting())
    absent: dict[str, float] = {}
    for cell in collector.waiting():
        collector.started(cell)
        engine.submit(cell)
    while collector.waiting():
        for arrival in engine.arrived(TICK):
            _take(arrival, engine, collector, notify, total)
        _give_up_on_absent(engine, collector, notify, absent, patience)


def _take(
    arrival: Arrival, engine: Engine, collector: Collector, notify: Callable[[str], None], total: int
) -> None:
    cell = arrival.cell
    if arrival.answer is not None:
        if not collector.take(cell, arrival.answer):
            notify(f"{cell}: a second result came from {arrival.answer['host']}; the first one is kept")
            return
    elif arrival.broken is not None:
        collector.give_up(cell, "failed", arrival.broken)
    else:
        reason = arrival.lost or "the worker is gone"
        collector.worker_lost(cell, reason)
        if collector.result(cell)["attempts"] < ATTEMPTS:
            notify(f"{cell}: the worker was lost, so another one gets the lesson: {reason}")
            collector.started(cell)
            engine.submit(cell)
            return
        collector.give_up(
            cell, "lost", f"{ATTEMPTS} workers were lost one after another; the last one: {reason}"
        )
    notify(f"{total - len(collector.waiting())}/{total} {cell}: {outcome(collector.result(cell))}")


def _give_up_on_absent(
    engine: Engine,
    collector: Collector,
    notify: Callable[[str], None],
    absent: dict[str, float],
    patience: float,
) -> None:
    """Give up cells whose hardware left the cluster too long ago; Ray would wait forever."""
    offered, clock = engine.offered(), time.monotonic()
    for kind in {cell.hardware for cell in collector.waiting()}:
        if offered.get(kind):
            absent.pop(kind, None)
        elif kind not in absent:
            absent[kind] = clock
            notify(f"{kind}: no worker has one any more; waiting {patience:g} s for one to return")
        elif clock - absent[kind] >= patience:
            for cell in [cell for cell in collector.waiting() if cell.hardware == kind]:
                engine.cancel(cell)
                message = f"no worker of the cluster has had this hardware for {patience:g} s"
                collector.give_up(cell, "lost", message)
                notify(f"{cell}: {outcome(collector.result(cell))}")
