from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.reliability import fault

from lesson_runner.execute import family
from lesson_runner.execute.evaluation import CommandResult
from lesson_runner.execute.terminal import Terminal

Bash = Callable[..., CommandResult]
Alive = Callable[[str | int], bool]

IGNORES_TERM = "trap '' TERM; while :; do sleep 1; done"
DAEMON = """
import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
print(os.getpid(), flush=True)
for fd in (0, 1, 2): os.close(fd)
time.sleep(60)
"""
"""Leaves its parent, group, session and pipe."""


@pytest.mark.parametrize(
    ("command", "code", "name"),
    [
        ("true", 0, None),
        ("exit 3", 3, None),
        ("kill -SEGV $$", 139, "SIGSEGV"),
        ("sh -c 'kill -9 $$'", 137, None),
    ],
)
def test_exit_codes_are_those_of_a_shell(bash: Bash, command: str, code: int, name: str | None) -> None:
    finished = bash(command + "; exit $?" if name is None else command)
    assert (finished.exit_code, finished.signal) == (code, name)
    assert (finished.timed_out, finished.killed, finished.still_running) == (False, (), ())


def test_output_and_errors_arrive_in_order_and_at_once(bash: Bash) -> None:
    seen: list[tuple[float, str]] = []
    finished = bash(
        "echo one; echo two >&2; sleep 0.3; echo three; printf four",
        on_line=lambda text: seen.extend((time.monotonic(), line) for line in text.split("\n")),
    )
    assert finished.output == "one\ntwo\nthree\nfour"
    assert [line for _, line in seen] == ["one", "two", "three", "four"]
    assert seen[2][0] - seen[1][0] > 0.2


def test_standard_input_is_empty_and_there_is_no_terminal(bash: Bash) -> None:
    assert bash("cat; [ -t 0 ] || echo none; : < /dev/tty", seconds=10).output.startswith("none\n")


def test_environment_and_folder_are_the_ones_given(bash: Bash, tmp_path: Path) -> None:
    finished = bash("pwd -P; echo $GIVEN", env={"PATH": "/usr/bin:/bin", "GIVEN": "x"})
    assert finished.output == f"{(tmp_path / 'files').resolve()}\nx"


@pytest.mark.slow
def test_huge_output_is_streamed_completely_and_kept_in_part(bash: Bash) -> None:
    count = 0

    def on_line(text: str) -> None:
        nonlocal count
        count += text.count("\n") + 1

    finished = bash(
        "yes 'a line of some length, again and again' | head -n 200000; echo end",
        on_line=on_line,
        strict=False,
    )
    assert count == 200_001
    assert 1_900_000 < len(finished.output) < 2_000_100
    assert finished.output.endswith("again\nend")
    gap = finished.gaps["output"]
    rows = finished.output.split("\n")
    assert len(rows) + gap.lines == count
    assert 0 < gap.after < len(rows)


@pytest.mark.slow
@fault(
    "processes",
    "a child ignores SIGTERM, or continues in the background",
    how="a step that does both, with a timeout",
    seen="`took longer than its timeout`, and which processes were killed; exit code 1",
    survives="the output so far; no process",
)
def test_at_the_deadline_children_are_ended_even_those_that_ignore_sigterm(bash: Bash, alive: Alive) -> None:
    started = time.monotonic()
    finished = bash(f"({IGNORES_TERM}) & echo $!; sleep 60 & echo $!; echo $$; sleep 60; true", seconds=1)
    assert time.monotonic() - started < 5
    assert finished.timed_out
    stubborn, background, parent = finished.output.split("\n")
    assert not any(alive(pid) for pid in (stubborn, background, parent))
    killed = [str(member) for member in finished.killed]
    assert f"sleep ({background})" in killed
    assert (
        killed[0] == f"bash ({parent})"
    )  # the command comes first, whatever the process numbers of its children are
    assert f"bash ({stubborn})" in killed
    assert finished.still_running == ()


def test_at_the_deadline_a_command_may_clean_up_and_print(bash: Bash) -> None:
    finished = bash("trap 'echo tidied; exit 5' TERM; echo up; sleep 60 & wait", seconds=1)
    assert (finished.output, finished.exit_code, finished.timed_out) == ("up\ntidied", 5, True)


@pytest.mark.slow
@fault(
    "processes",
    "a child prints without end",
    how="a step that does, with a timeout",
    seen="`took longer than its timeout`; exit code 1",
    survives="the first and the last megabyte of the output",
)
def test_at_the_deadline_endless_output_stops(bash: Bash) -> None:
    started = time.monotonic()
    assert bash("trap '' TERM; while :; do echo y; done", seconds=0.2).timed_out
    assert time.monotonic() - started < 4


@pytest.mark.slow
@fault(
    "processes",
    "a child leaves parent, group, session and pipe (a daemon)",
    how="a step that starts one, with a timeout",
    seen="as above. On systems without /proc, such a daemon escapes",
    survives="the output so far; no process",
)
@pytest.mark.skipif(sys.platform != "linux", reason="found by its environment, through /proc")
def test_at_the_deadline_a_daemon_is_ended_too(bash: Bash, alive: Alive) -> None:
    finished = bash(f"'{sys.executable}' -c '{DAEMON}'; sleep 60", seconds=1.5)
    assert finished.timed_out
    assert re.fullmatch(r"\d+", finished.output)
    assert finished.output in {str(member.pid) for member in finished.killed}
    assert not alive(finished.output)


@pytest.mark.slow
def test_without_proc_processes_are_found_through_ps(
    bash: Bash, alive: Alive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(family, "PROC", tmp_path / "none")
    own_session = (
        "import os; os.setsid(); print(os.getpid(), flush=True); os.execvp('sleep', ['sleep', '60'])"
    )
    finished = bash(f"'{sys.executable}' -c \"{own_session}\" & sleep 60", seconds=1.5)
    assert f"sleep ({finished.output})" in [str(member) for member in finished.killed]
    assert not alive(finished.output)


def test_a_background_process_does_not_delay_the_step_and_continues(
    bash: Bash, alive: Alive, tmp_path: Path
) -> None:
    started = time.monotonic()
    finished = bash("(sleep 0.6; echo late; echo late; touch survived; exec sleep 60) & echo $!", seconds=30)
    assert time.monotonic() - started < 3
    pid = finished.output
    assert int(pid) in [member.pid for member in finished.still_running]
    assert not finished.timed_out
    end = time.monotonic() + 10
    while not (tmp_path / "files" / "survived").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (tmp_path / "files" / "survived").exists(), "it died of a closed pipe"


@pytest.mark.slow
@fault(
    "processes",
    "a process in the background keeps printing",
    how="a step that leaves one",
    seen="`still running in the background`, with its number",
    survives="the step; the process, until the run ends",
)
def test_a_background_process_that_keeps_printing_does_not_delay_the_step(bash: Bash) -> None:
    started = time.monotonic()
    finished = bash("while :; do echo chatter; sleep 0.05; done & sleep 0.2; echo done")
    assert time.monotonic() - started < 4
    assert "\ndone\n" in finished.output
    assert finished.still_running


@fault(
    "processes",
    "a child closes its output and keeps running",
    how="a step that does, with a timeout",
    seen="`took longer than its timeout`, and which process was killed; exit code 1",
    survives="the output so far; no process",
)
def test_at_the_deadline_a_process_without_output_is_ended_too(bash: Bash, alive: Alive) -> None:
    finished = bash("echo $$; exec >&- 2>&-; exec sleep 60", seconds=0.5)
    assert finished.timed_out
    assert f"sleep ({finished.output})" in [str(member) for member in finished.killed]
    assert not alive(finished.output)


@fault(
    "processes",
    "a process in the background fills the pipe when nobody reads it",
    how="5 MB, after the step has ended",
    seen="`still running in the background`",
    survives="the process: its output is discarded, and does not block it",
)
def test_a_background_process_that_fills_the_pipe_continues(bash: Bash, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    os.mkfifo(tmp_path / "files" / "gate")
    finished = bash("(read -r line < gate; head -c 5M /dev/zero; touch through) & echo $!")
    assert finished.still_running
    (tmp_path / "files" / "gate").write_text("on\n")
    end = time.monotonic() + 20
    while not (tmp_path / "files" / "through").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "files" / "through").exists()


def test_a_failing_listener_leaves_no_process(bash: Bash, alive: Alive) -> None:
    pids: list[str] = []

    def on_line(line: str) -> None:
        pids.append(line)
        raise RuntimeError("the screen is gone")

    with pytest.raises(RuntimeError, match="the screen is gone"):
        bash("echo $$; sleep 60", on_line=on_line)
    assert len(pids) == 1
    assert not alive(pids[0])


AGAIN = "patch()"
"""A second Ctrl-C, when the processes are looked up for the first time after the first one."""


@pytest.mark.slow
@fault(
    "processes",
    "Ctrl-C, twice, while children are being ended",
    how="a child that ignores SIGTERM, two signals",
    seen="`interrupted`; exit code 130",
    survives="no process",
)
@pytest.mark.parametrize("second", ["", AGAIN], ids=["once", "twice"])
def test_ctrl_c_leaves_no_process(alive: Alive, tmp_path: Path, second: str) -> None:
    # A separate runner with the default SIGINT handler, even if the tests run in the background.
    script = f"""
import os, pathlib, signal
from lesson_runner.execute.terminal import Terminal
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = pathlib.Path({str(tmp_path)!r})
terminal = Terminal(folder / "shell", folder / "files", dict(os.environ))
def patch():
    from lesson_runner.execute.family import Family
    members = Family.members
    def again(family):
        Family.members = members
        raise KeyboardInterrupt
    if members.__name__ != "again":
        Family.members = again
def show(line):
    print(line, flush=True)
    {second or "pass"}
terminal.run("({IGNORES_TERM}) & echo $!; echo $$; sleep 60", step="a", on_line=show)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True) as runner:
        assert runner.stdout is not None
        assert runner.stderr is not None
        pids = [runner.stdout.readline().strip() for _ in range(2)]
        assert all(alive(pid) for pid in pids)
        runner.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in runner.stderr.read()
    assert not any(alive(pid) for pid in pids)


@fault(
    "processes",
    "Ctrl-C at the moment when a command starts",
    how="it is raised right after the process was started, and during the start",
    seen="`interrupted`; exit code 130",
    survives="no process",
)
@pytest.mark.skipif(not (family.PROC / "self" / "stat").exists(), reason="it is found by its environment")
@pytest.mark.parametrize("moment", ["started", "starting"])
def test_an_interrupt_while_a_command_starts(
    terminals: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch, alive: Alive, moment: str
) -> None:
    real, begun = subprocess.Popen, list[subprocess.Popen[bytes]]()

    def starting(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(real(*arguments, **options))
        if moment == "starting":
            raise KeyboardInterrupt
        return begun[0]

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", starting)
        patch.setattr(family.Family, "of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            terminals().run("true", step="a", on_line=print)
    (process,) = begun
    assert process.wait(10) in (-signal.SIGTERM, -signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()
    assert not alive(process.pid)


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux gives orphans to the process that asks for them"
)
def test_a_daemon_without_its_environment_is_found(
    bash: Bash, alive: Callable[[str | int], bool], tmp_path: Path
) -> None:
    daemon = f"echo $$ > {tmp_path}/pid; exec sleep 300 <&- >&- 2>&-"
    finished = bash(f"env -i setsid bash -c '(setsid bash -c \"{daemon}\" &) ; exit' & sleep 60", seconds=2)
    assert finished.timed_out
    assert not alive((tmp_path / "pid").read_text().strip())
    time.sleep(0.1)  # wait until the killed process has ended
    command = ["ps", "-o", "stat=,pid=", "--ppid", str(os.getpid())]
    children = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert (tmp_path / "pid").read_text().strip() not in children


@pytest.mark.skipif(sys.platform != "linux", reason="killed by number")
@pytest.mark.parametrize("block", ["sleep 0.5", "sleep 0.5; echo on; sleep 0.1", "true"])
def test_bash_ends_if_the_runner_was_killed(alive: Alive, tmp_path: Path, block: str) -> None:
    script = f"""
import os, pathlib, time
from lesson_runner.execute.terminal import Terminal
folder = pathlib.Path({str(tmp_path)!r})
terminal = Terminal(folder / "shell", folder / "files", dict(os.environ))
terminal.run("echo $$; {block}", step="a", on_line=lambda line: print(line, flush=True))
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, text=True) as runner:
        assert runner.stdout is not None
        pid = runner.stdout.readline().strip()
        runner.kill()
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)
