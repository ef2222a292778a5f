"""The output on a terminal: a progress bar while a step runs, with its values next to it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lesson_runner.model import Event, Location, Plan, PlannedStep
from lesson_runner.report.live import LiveReporter
from lesson_runner.testing import check_lesson, lesson_text

FINISHED = {
    "status": "passed",
    "attempts": 1,
    "seconds": 2.0,
    "labels": [],
    "message": "",
    "verdicts": [],
    "claims": [],
}


class Terminal:
    """A terminal of a hundred columns that keeps its output, and a run of one step on it."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=True, width=100, color_system=None)
        step = PlannedStep(
            id="one", title="Train", location=Location(Path("a.md"), 1), action="train", params={}
        )
        lesson, _ = check_lesson(lesson_text("x"), tmp_path)
        self.report = LiveReporter(self.console, Plan(lesson, "quick", (step,), (), (), ""))
        self.report(Event("step-started", "one"))

    def progress(self, **data: Any) -> str:
        """Report progress, and return the last line of the screen."""
        self.report(Event("progress", "one", data))
        progress = self.report._progress
        assert progress is not None
        progress.refresh()
        return self.file.getvalue().rpartition("\r")[2]

    def finish(self, **more: Any) -> str:
        """Finish the step, and return the output about that."""
        begin = self.file.tell()
        self.report(Event("step-finished", "one", {**FINISHED, **more}))
        return self.file.getvalue()[begin:]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_the_progress_of_a_training(terminal: Terminal) -> None:
    first = terminal.progress(
        done=100, total=2000, curve="loss", loss=3.0, tokens_per_second=61234.0, seconds_left=75
    )
    assert "100/2,000  ▁  loss 3  61,234 tokens/s  1 min 15 s left" in first
    assert "1,500/2,000  █▁  loss 1.5  stage warm" in terminal.progress(
        done=1500, total=2000, curve="loss", loss=1.5, stage="warm"
    )
    assert "loss 3 █▁ 1.5" in terminal.finish()


def test_a_bar_without_a_curve(terminal: Terminal) -> None:
    assert "3/8" in terminal.progress(done=3, total=8)
    assert "4/8  error 1.5" in terminal.progress(done=4, total=8, error=1.5)
    shown = terminal.finish()
    assert "✓ passed in 2.0 s" in shown
    assert "loss" not in shown


def test_a_result(terminal: Terminal) -> None:
    diagnosis = {
        "title": "Too hot",
        "explanation": "it is",
        "section": "Heat",
        "link": "a.md#heat",
        "command": "cool",
    }
    claim = {"claim": "loss <= 2", "source": "a page", "result": "worse", "actual": "3"}
    broken = [
        {"matcher": name, "expected": "x", "actual": "y", "passed": passed}
        for name, passed in (("contains", False), ("regex", True), ("exit", False))
    ]
    shown = terminal.finish(
        status="failed",
        labels=["emulated", "reused"],
        message="expected x",
        verdicts=broken,
        claims=[claim, {**claim, "result": "not evaluated"}],
        diagnoses=[diagnosis, {**diagnosis, "title": "Too cold", "section": "", "command": ""}],
    )
    rows = [row.strip() for row in shown.splitlines() if row.strip()]
    assert [row for row in rows if "\x1b" not in row] == [
        "✗ failed in 2.0 s  [emulated, reused]: expected x",
        "also expected exit code x; got y",
        "Too hot: it is",
        "the lesson explains it under 'Heat': a.md#heat",
        "try: cool",
        "Too cold: it is",
        "claim loss <= 2 (a page): worse, 3",
    ]


def test_a_step_that_did_not_run(terminal: Terminal) -> None:
    assert "skipped" not in terminal.finish(status="skipped", attempts=0)


def test_the_bar_is_removed_at_the_end(terminal: Terminal) -> None:
    terminal.progress(done=1, total=2)
    terminal.report(Event("run-finished"))
    assert terminal.report._progress is None
    terminal.report.close()
    terminal.report(Event("progress", "one", {"done": 2, "total": 2}))
    terminal.report(Event("run-started"))
    assert terminal.report._progress is None
