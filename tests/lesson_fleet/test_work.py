"""A worker's job without Ray: each lesson runs in a separate process, which ends with the worker."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_fleet.toys import ancestors, below, parents, toy, until, waiting_toy

from lesson_fleet.archive import unpack
from lesson_fleet.boards import hold_board, pretended_boards
from lesson_fleet.cells import Cell, CellOptions, Document, job_for
from lesson_fleet.work import run_cell
from lesson_runner.run.stored import read_run

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for workers' temporary files, including their locks."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("LESSON_PLUGINS", "")  # the toys need none, and start faster
    return folder


def job(lesson: str, *, passes: int = 1, **changes: object) -> dict[str, Any]:
    raw = lesson.encode()
    document = Document(
        "toy", "toy", "toy.md", raw, hashlib.sha256(raw).hexdigest(), ("n150",), allow=("shell",)
    )
    data = job_for(Cell("toy", "n150"), document, CellOptions(passes, pretended=True))
    return {**data, **changes}


@pytest.mark.slow
def test_two_passes_are_returned(temp: Path, tmp_path: Path) -> None:
    answer = run_cell(job(toy("toy", "ls; echo done > left; cat left"), passes=2), "node", 1)
    assert (answer["refused"], answer["board"]) == (None, "pretended 1")
    assert [item["exit_code"] for item in answer["passes"]] == [0, 0]
    records = []
    for number, item in enumerate(answer["passes"]):
        unpack(item["archive"], tmp_path / "runs" / str(number))
        records.append(read_run(tmp_path / "runs" / str(number)))
    assert len({record["run_id"] for record in records}) == 2
    for record in records:
        assert record["status"] == "passed"
        assert record["options"]["fresh"] is True
        assert record["labels"] == record["steps"][0]["labels"] == ["emulated", "pretended n150"]
    output = (tmp_path / "runs" / "1" / "evidence" / "say" / "output.txt").read_text()
    assert output.split() == ["done"]  # the first pass left nothing
    assert [path.name for path in temp.iterdir()] == [f"lesson-fleet-{os.getuid()}"]


@pytest.mark.slow
def test_the_first_pass_that_fails_is_the_last(temp: Path, tmp_path: Path) -> None:
    answer = run_cell(job(toy("toy", "echo no"), passes=3), "node", 1)
    (item,) = answer["passes"]
    assert item["exit_code"] == 1
    unpack(item["archive"], tmp_path / "run")
    assert read_run(tmp_path / "run")["status"] == "failed"


@pytest.mark.slow
def test_a_lesson_that_cannot_be_run(temp: Path) -> None:
    (item,) = run_cell(job("---\nno lesson at all\n"), "node", 1)["passes"]
    assert (item["exit_code"], item["archive"]) == (2, None)
    assert "the lesson does not validate" in item["message"]


@pytest.mark.slow
def test_hardware_other_than_declared_to_ray(temp: Path) -> None:
    job_data = job(toy("toy", "echo done"), arguments=["--hardware", "n150", "--allow", "shell"])
    (item,) = run_cell(job_data, "node", 1)["passes"]
    assert (item["exit_code"], item["archive"]) == (4, None)
    assert "--hardware n150: expected n150, found" in item["message"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "0.0.1"}, "but the job is from 0.0.1 (install the same release on every machine)"),
        ({"text": b"other"}, "the lesson's text was damaged in transit"),
    ],
)
def test_refused_jobs(temp: Path, changes: dict[str, Any], said: str) -> None:
    answer = run_cell(job(toy("toy", "echo done"), **changes), "node", 1)
    assert answer["passes"] == []
    assert said in answer["refused"]


WORKER = """
import json, sys
from lesson_fleet.work import run_cell
job = json.load(open(sys.argv[1]))
job["text"] = job["text"].encode()
run_cell(job, "node", 1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("daemon", [False, True], ids=["plain", "with a daemon"])
def test_a_worker_that_dies_takes_its_lesson_along(
    temp: Path, tmp_path: Path, number: signal.Signals, daemon: bool
) -> None:
    """Processes in a separate session end too; when the board is free, no process of the lesson is left."""
    notes = tmp_path / "notes"
    notes.mkdir()
    text = waiting_toy("toy", notes)
    if daemon:
        text = text.replace('touch "', 'setsid sleep 600 & disown\ntouch "', 1)
    (tmp_path / "job.json").write_text(json.dumps({**job(text), "text": text}))
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path / "job.json")])
    try:
        until(lambda: list(notes.iterdir()), "the lesson runs")
        (shell,) = (int(path.name) for path in notes.iterdir())
        chain = ancestors(shell)
        watchdogs = set(chain[chain.index(worker.pid) - 2 : chain.index(worker.pid)])  # and its parent
        lesson = below(worker.pid) - watchdogs
        assert shell in lesson
        os.kill(worker.pid, number)
        worker.wait(60)
        with hold_board(pretended_boards("n150", 1, "node"), 60):
            assert not lesson & parents().keys()
        # A process that ends releases its locks before it disappears from the process table.
        until(lambda: not watchdogs & parents().keys(), "the watchdog ends")
    finally:
        worker.kill()
    assert [path.name for path in temp.iterdir()] == [f"lesson-fleet-{os.getuid()}"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_watchdog_that_dies_takes_its_lesson_along(temp: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    text = waiting_toy("toy", notes)
    (tmp_path / "job.json").write_text(json.dumps({**job(text), "text": text}))
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path / "job.json")])
    try:
        until(lambda: list(notes.iterdir()), "the lesson runs")
        (shell,) = (int(path.name) for path in notes.iterdir())
        chain = ancestors(shell)
        watchdog = chain[chain.index(worker.pid) - 2]
        family = below(watchdog)
        assert shell in family
        os.kill(watchdog, signal.SIGKILL)
        until(lambda: not family & parents().keys(), "the lesson ends")
        assert worker.wait(60) == 0
    finally:
        worker.kill()
