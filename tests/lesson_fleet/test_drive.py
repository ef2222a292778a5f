"""The loop: lost cells are submitted again, and cells without hardware are given up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lesson_fleet.conftest import Answer, Start, document

from lesson_fleet.cells import Cell
from lesson_fleet.drive import ATTEMPTS, Arrival, drive

TOY = Cell("toy", "n150")


@dataclass
class Scripted:
    """An engine whose script decides how each attempt at a cell ends."""

    script: Callable[[Cell, int], Sequence[Arrival]]
    boards: dict[str, float] = field(default_factory=lambda: {"n150": 1, "n300": 1})
    waiting: list[Cell] = field(default_factory=list)
    submitted: list[Cell] = field(default_factory=list)
    cancelled: list[Cell] = field(default_factory=list)

    def offered(self) -> Mapping[str, float]:
        return self.boards

    def submit(self, cell: Cell) -> None:
        self.waiting.append(cell)
        self.submitted.append(cell)

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        ready = [cell for cell in self.waiting if self.boards.get(cell.hardware)]
        self.waiting = [cell for cell in self.waiting if cell not in ready]
        return [item for cell in ready for item in self.script(cell, self.submitted.count(cell))]

    def cancel(self, cell: Cell) -> None:
        self.cancelled.append(cell)


def test_a_lost_worker_is_replaced(start: Start, answer: Answer) -> None:
    collector, said, good = start(), list[str](), answer()

    def script(cell: Cell, attempt: int) -> list[Arrival]:
        return [Arrival(cell, lost="its machine is gone") if attempt == 1 else Arrival(cell, answer=good)]

    drive(Scripted(script), collector, said.append)
    item = collector.result(TOY)
    assert (item["status"], item["attempts"], item["losses"]) == ("passed", 2, ["its machine is gone"])
    assert said == [
        "toy on n150: the worker was lost, so another one gets the lesson: its machine is gone",
        "1/1 toy on n150: passed in 1.5 s (1 pass) on lab1, board pretended 1, attempt 2  [pretended]",
    ]


def test_attempts_are_limited(start: Start) -> None:
    collector, said = start(), list[str]()
    engine = Scripted(lambda cell, attempt: [Arrival(cell, lost=f"crash {attempt}")])
    drive(engine, collector, said.append)
    item = collector.result(TOY)
    assert (item["status"], item["attempts"]) == ("lost", ATTEMPTS)
    assert (
        item["message"] == f"{ATTEMPTS} workers were lost one after another; the last one: crash {ATTEMPTS}"
    )
    assert len(engine.submitted) == ATTEMPTS


def test_a_failure_is_not_a_lost_worker(start: Start) -> None:
    collector = start()
    failed: dict[str, Any] = {"host": "lab1", "board": "0", "refused": "no", "passes": []}
    engine = Scripted(lambda cell, attempt: [Arrival(cell, answer=failed)])
    drive(engine, collector, lambda line: None)
    assert (collector.result(TOY)["status"], len(engine.submitted)) == ("failed", 1)
    collector = start()
    engine = Scripted(lambda cell, attempt: [Arrival(cell, broken="no module named lesson_fleet")])
    drive(engine, collector, lambda line: None)
    assert collector.result(TOY)["message"] == "no module named lesson_fleet"
    assert len(engine.submitted) == 1


def test_a_second_result_is_dropped_and_reported(start: Start, answer: Answer) -> None:
    collector, said = start(), list[str]()
    first, second = answer(host="lab1"), answer(host="lab2")
    drive(
        Scripted(lambda cell, attempt: [Arrival(cell, answer=first), Arrival(cell, answer=second)]),
        collector,
        said.append,
    )
    assert collector.result(TOY)["host"] == "lab1"
    assert said[1:] == ["toy on n150: a second result came from lab2; the first one is kept"]


def test_absent_hardware_is_given_up(start: Start, answer: Answer) -> None:
    collector, said, good = start(document("toy"), hardware=["n150", "n300"]), list[str](), answer()
    engine = Scripted(lambda cell, attempt: [Arrival(cell, answer=good)], boards={"n150": 1, "n300": 0})
    drive(engine, collector, said.append, patience=0)
    assert collector.result(TOY)["status"] == "passed"
    absent = collector.result(Cell("toy", "n300"))
    assert absent["status"] == "lost"
    assert absent["message"] == "no worker of the cluster has had this hardware for 0 s"
    assert engine.cancelled == [Cell("toy", "n300")]
    assert "n300: no worker has one any more; waiting 0 s for one to return" in said


def test_hardware_that_returns(start: Start, answer: Answer) -> None:
    collector, said, good = start(), list[str](), answer()
    engine = Scripted(lambda cell, attempt: [Arrival(cell, answer=good)], boards={"n150": 0})

    def notify(line: str) -> None:
        said.append(line)
        engine.boards["n150"] = 1  # as soon as its absence is reported

    drive(engine, collector, notify, patience=3600)
    assert said[0].startswith("n150: no worker has one any more")
    assert collector.result(TOY)["status"] == "passed"
