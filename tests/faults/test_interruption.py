"""Ctrl-C and its like, at every moment of a run: what was done is written down."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.running import PATIENCE, Ran, ended, events_of, only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.plugins import Event, hookimpl
from lesson_runner.testing import lesson_text

AREA = "interruption"
Start = Callable[..., "subprocess.Popen[str]"]
STUBBORN = "trap '' TERM INT; echo $$; while :; do read -r -t 1 < /dev/zero || true; done"

IN_THE_RECORD = """
import os, signal
from lesson_runner.plugins import hookimpl

real = os.fsync

def sync(file):
    path = os.readlink(f"/proc/self/fd/{file}")
    if "record.json" in path and os.path.exists(os.path.join(os.path.dirname(path), "events.jsonl")):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
    real(file)

os.fsync = sync
"""
"""Sends Ctrl-C from within the writing of the last record: its bytes are there, its name is not yet."""


@pytest.fixture
def lesson_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*steps: str) -> Path:
        path = tmp_path / "a.md"
        path.write_text(lesson_text("".join(steps)))
        return path

    return write


def running(process: subprocess.Popen[str], workspace: Path, kind: str = "output") -> Path:
    """Wait until a run has had an event; return its folder."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        found = list(workspace.glob("runs/*/events.jsonl"))
        if found and f'"event": "{kind}"' in found[0].read_text():
            return found[0].parent
        time.sleep(0.01)
    raise AssertionError(f"no {kind}: {process.poll()}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@fault(
    AREA,
    "Ctrl-C is held down",
    how="SIGINT every 20 ms, sent to a step whose process ignores SIGINT and SIGTERM",
    seen="`interrupted`; exit code 130",
    survives="the record, with the interrupted step; no process of the step",
)
def test_ctrl_c_held_down(start: Start, lesson_file: Callable[..., Path], tmp_path: Path) -> None:
    lesson = lesson_file(shell("one", "echo first"), shell("two", STUBBORN), shell("three", "echo third"))
    process = start("run", lesson, "--allow", "shell", start_new_session=True)
    folder = running(process, tmp_path / ".lesson", "step-finished")
    while not (
        child := [item["text"] for item in events_of(folder) if item.get("step") == "two" and "text" in item]
    ):
        time.sleep(0.01)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert ended(process).code in (130, -signal.SIGINT)  # 130 to a shell, too: it came while Python ended
    record = record_of(folder)
    assert (record["status"], record["exit_code"]) == ("interrupted", 130)
    assert [(item["status"], item["message"]) for item in record["steps"]] == [
        ("passed", ""),
        ("error", "interrupted"),
        ("not-reached", "the run ended before this step"),
    ]
    assert not alive(int(child[0]))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the files of a process are seen in /proc")
@fault(
    AREA,
    "Ctrl-C while the record is written",
    how="a plugin sends SIGINT three times while the record is being written",
    seen="exit code 130",
    survives="the complete record",
)
def test_ctrl_c_while_the_record_is_written(
    start: Start, install: Callable[[str], str], lesson_file: Callable[..., Path], tmp_path: Path
) -> None:
    lesson = lesson_file(shell("one", "echo first"))
    said = ended(start("run", lesson, "--allow", "shell", plugins=install(IN_THE_RECORD)))
    folder = only_run(tmp_path / ".lesson")
    assert (said.code, record_of(folder)["status"]) == (130, "passed")
    assert events_of(folder)[-1]["event"] == "run-finished"


class Interrupting:
    """A plugin that sends Ctrl-C when it receives an event."""

    __name__ = "interrupting"

    def __init__(self, at: int) -> None:
        self.at = at
        self.heard: list[str] = []

    @hookimpl
    def lesson_step_event(self, event: Event) -> None:
        self.heard.append(event.kind)
        if len(self.heard) == self.at:
            os.kill(os.getpid(), signal.SIGINT)


STEP = ("step-started", "output", "step-finished")
KINDS = ("run-started", *STEP, *STEP)


@fault(
    AREA,
    "Ctrl-C at any event of a run",
    how="a plugin sends SIGINT at the first event, at the second, and so on",
    seen="`interrupted`; exit code 130",
    survives="the record: finished steps keep their results, the others are not reached",
)
@pytest.mark.parametrize("at", range(1, len(KINDS) + 1))
def test_ctrl_c_at_any_event(
    lesson: Callable[..., Any], lesson_file: Callable[..., Path], tmp_path: Path, at: int
) -> None:
    path = lesson_file(shell("one", "echo first"), shell("two", "echo second"))
    plugin = Interrupting(at)
    said = lesson("run", path, "--allow", "shell", plugins=[plugin])
    assert (said.code, plugin.heard[: len(KINDS)][at - 1]) == (130, KINDS[at - 1])
    folder = only_run(tmp_path / ".lesson")
    record = record_of(folder)
    assert record["status"] == "interrupted"
    ended_before = KINDS[:at].count("step-finished")
    interrupted = int(KINDS[at - 1] in ("step-started", "output"))
    expected = ["passed"] * ended_before + ["error"] * interrupted + ["not-reached"] * 2
    assert list(told(record).values()) == expected[:2]
    assert events_of(folder)[-1]["status"] == "interrupted"


@pytest.mark.slow
@fault(
    AREA,
    "Ctrl-C or SIGTERM at any moment",
    how="ten runs of short steps; each gets a signal at a random moment (the seed is printed)",
    seen="exit code 130, or the run's own if it had already finished",
    survives="the complete record of every run",
)
def test_a_signal_at_random_moments(start: Start, lesson_file: Callable[..., Path], tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lesson = lesson_file(*(shell(f"s{n}", "for n in 1 2 3; do echo $n; done") for n in range(8)))
    for number in range(10):
        workspace = tmp_path / str(number)
        process = start("run", lesson, "--allow", "shell", "--workspace", workspace)
        folder = running(process, workspace, "run-started")
        time.sleep(chance.uniform(0, 0.35))
        process.send_signal(chance.choice((signal.SIGINT, signal.SIGTERM)))
        said = ended(process)
        record = record_of(folder)
        over = (0, 130, -signal.SIGINT, -signal.SIGTERM)  # the record was there, and Python about to end
        assert said.code in {"interrupted": (130,), "passed": over}[record["status"]], said
        states = list(told(record).values())
        done = states.count("passed")
        assert states[:done] == ["passed"] * done
        assert set(states[done + 1 :]) <= {"not-reached"}


@pytest.mark.slow
@fault(
    AREA,
    "the terminal is closed",
    how="a real terminal (pty) that is closed during a step",
    seen="nothing, because the terminal is gone; exit code 130",
    survives="the record; no process of the step",
)
def test_the_terminal_is_closed(start: Start, lesson_file: Callable[..., Path], tmp_path: Path) -> None:
    lesson = lesson_file(shell("one", "echo $$; sleep 60"))
    ours, theirs = pty.openpty()
    process = start(
        *("run", lesson, "--allow", "shell"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={"TERM": "xterm"},
    )
    os.close(theirs)
    folder = running(process, tmp_path / ".lesson")
    child = next(int(item["text"]) for item in events_of(folder) if item["event"] == "output")
    os.close(ours)
    assert process.wait(PATIENCE) == 130
    record = record_of(folder)
    assert (record["status"], told(record)) == ("interrupted", {"one": "error"})
    assert not alive(child)


@pytest.mark.slow
@fault(
    AREA,
    "the terminal is closed during a run under `nohup`",
    how="SIGHUP to a run that ignores it",
    seen="nothing: the run continues",
    survives="everything",
)
def test_nohup(start: Start, lesson_file: Callable[..., Path], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    lesson = lesson_file(shell("one", f"echo ready; read -r line < {gate}; echo $line"))
    process = start(
        *("run", lesson, "--allow", "shell"),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    folder = running(process, tmp_path / ".lesson")
    process.send_signal(signal.SIGHUP)
    gate.write_text("on\n")
    said: Ran = ended(process)
    assert (said.code, told(record_of(folder))) == (0, {"one": "passed"})
