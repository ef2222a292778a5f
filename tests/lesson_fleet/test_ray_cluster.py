"""A real Ray cluster on this machine, with pretended boards; some of its workers are killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_fleet.toys import BOARDS, ancestors, below, parents, toy, until, waiting_toy

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.run.stored import read_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="it needs Ray: install the `fleet` extra"),
    pytest.mark.skipif(sys.platform != "linux", reason="it looks processes up in /proc"),
]
STARTED, ENDED = 120, 60
"""Seconds that Ray's own cluster gets to start and to end."""
LESSONS = ("first", "second", "waiting")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The variables of cluster and command; Ray keeps its own folder: its sockets need a short path."""
    (tmp_path / "temp").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LESSON_", "RAY_"))}
    folders = {"TMPDIR": str(tmp_path / "temp"), "RAY_TMPDIR": "/tmp"}
    return {**kept, **folders, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


@pytest.fixture
def cluster(environ: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Two workers with one pretended board of each kind: ``address``, and the pids of their ``raylets``."""
    boards = json.dumps({f"pretended-{name}": 1 for name in BOARDS})
    command = [sys.executable, str(Path(__file__).with_name("cluster.py")), boards, "2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not select.select([process.stdout], [], [], STARTED)[0]:
                pytest.skip(f"Ray's own cluster does not start here within {STARTED} s")
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            try:
                process.wait(ENDED)
            except subprocess.TimeoutExpired:  # Ray's own shutdown can hang; nothing of it may stay
                for pid in (*below(process.pid), process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def running(folder: Path) -> set[int]:
    """Return the living processes of the waiting lesson, which notes their ids."""
    return {int(path.name) for path in folder.glob("[0-9]*")} & parents().keys()


def worker_of(pid: int, raylets: Sequence[int]) -> tuple[int, int]:
    """Return the pids of the Ray worker that runs a lesson's process, and of its raylet."""
    chain = ancestors(pid)
    raylet = next(item for item in chain if item in raylets)
    return chain[chain.index(raylet) - 1], raylet


def test_nine_results_though_workers_are_killed(
    cluster: dict[str, Any], environ: dict[str, str], tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name in LESSONS:
        text = waiting_toy(name, notes) if name == "waiting" else toy(name, "echo done")
        (tmp_path / f"{name}.md").write_text(text)
    words = ["fleet", "run", *(f"{name}.md" for name in LESSONS), "--hardware", ",".join(BOARDS)]
    words += ["--pretend", "--passes", "1", "--allow", "shell", "--address", cluster["address"]]
    said = tmp_path / "said.txt"
    with (
        said.open("w") as file,
        subprocess.Popen(
            [sys.executable, "-m", "lesson_runner", *words],
            cwd=tmp_path,
            env=environ,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as driver,
    ):
        try:
            until(lambda: len(running(notes)) == len(BOARDS), "a lesson waits on each board")
            until(lambda: "6/9 " in said.read_text(), "the other lessons are done and cannot be lost")
            first = running(notes)
            _, raylet = worker_of(min(first), cluster["raylets"])
            doomed = below(raylet)
            lost = len(doomed & first) + 1  # plus the one that is killed below
            os.kill(raylet, signal.SIGKILL)
            until(lambda: not doomed & parents().keys(), "the lost machine's processes end")

            until(lambda: len(running(notes)) == len(BOARDS), "what was lost runs again")
            (alive,) = [item for item in cluster["raylets"] if item != raylet]
            victim = min(running(notes))
            worker, found = worker_of(victim, cluster["raylets"])
            assert found == alive
            doomed = below(worker)
            assert victim in doomed
            os.kill(worker, signal.SIGKILL)
            until(lambda: not doomed & parents().keys(), "the lost worker's processes end")

            until(lambda: len(running(notes)) == len(BOARDS), "what was lost runs again")
            (notes / "go").touch()
            assert driver.wait(120) == 0, said.read_text()
        finally:
            driver.kill()
    print(said.read_text())
    (path,) = (tmp_path / ".lesson" / "fleet").glob("*/results.json")
    data = json.loads(path.read_text())
    assert list(validator_for(load_schema("fleet")).iter_errors(data)) == []
    results = {(item["lesson"], item["hardware"]): item for item in data["results"]}
    assert len(data["results"]) == len(results) == len(LESSONS) * len(BOARDS) == 9
    assert Counter(item["status"] for item in results.values()) == {"passed": 9}
    assert {item["attempts"] for (lesson, _), item in results.items() if lesson != "waiting"} == {1}
    assert all(item["attempts"] == len(item["losses"]) + 1 for item in results.values())
    assert sum(len(item["losses"]) for item in results.values()) == lost

    runs = {run["run"] for item in results.values() for run in item["passes"]}
    folders = {item.name for item in (tmp_path / ".lesson" / "runs").iterdir()}
    assert runs == folders
    assert len(folders) == 9
    for (lesson, board), item in results.items():
        (run,) = item["passes"]
        record = read_run(tmp_path / ".lesson" / "runs" / run["run"])
        assert record["lesson"]["id"] == lesson
        assert record["labels"] == run["labels"] == ["emulated", f"pretended {board}"]
    assert [path.name for path in (tmp_path / "temp").glob("lesson-fleet-*")] == [
        f"lesson-fleet-{os.getuid()}"
    ]  # only the locks; the folders of lost workers are removed

    rows = [row for row in said.read_text().splitlines() if " on n150" in row and "passed" in row]
    assert rows
    assert all(row.endswith("[pretended]") for row in rows)
