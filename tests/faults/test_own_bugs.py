"""A bug of the runner itself: it is reported as one, and what was done is recorded all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.running import only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.model import Event
from lesson_runner.report.live import LiveReporter
from lesson_runner.testing import lesson_text


@fault(
    "bugs of the runner",
    "an unexpected error during a run",
    how="a reporter that raises at the second step",
    seen="`this is a bug in lesson-runner`, and a file to report; exit code 3",
    survives="the record: finished steps keep their results, the others are not reached",
)
@pytest.mark.parametrize("room", [True, False], ids=["with a report", "without room for a report"])
def test_an_error_that_nobody_foresaw(
    lesson: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    def broken(self: LiveReporter, event: Event) -> None:
        if (event.kind, event.step) == ("step-finished", "two"):
            raise RuntimeError("boom")

    if room:
        (tmp_path / "reports").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "reports"))
    monkeypatch.setattr(LiveReporter, "__call__", broken)
    steps = (shell("one", "echo first"), shell("two", "echo second"), shell("three", "echo third"))
    (tmp_path / "a.md").write_text(lesson_text("".join(steps)))
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 3
    assert said.err.startswith(
        "error: this is a bug in lesson-runner: RuntimeError: boom\nfix: please report it"
    )
    assert ("Traceback" in said.err) == (not room)  # then there is nowhere else to keep it
    record = record_of(only_run(tmp_path / ".lesson"))
    assert (record["status"], record["exit_code"]) == ("failed", 3)
    assert told(record) == {"one": "passed", "two": "passed", "three": "not-reached"}
    assert len(list(tmp_path.glob("reports/lesson-bug-*.txt"))) == int(room)
