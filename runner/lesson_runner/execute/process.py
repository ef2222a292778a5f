"""One command, run to its end: output line by line, a deadline, and nothing left behind by accident."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.errors import LessonError
from lesson_runner.execute.family import TICK, TOKEN, Family, Member, adopt_orphans
from lesson_runner.execute.lines import Lines
from lesson_runner.redaction import Redactor

QUIET = 0.2
"""How long the output must be silent, after the command has ended, to be taken as complete."""
LINGER = 1.0
"""How long output is read after the command has ended, if something goes on writing."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a command."""

    exit_code: int
    """As a shell has it: 128 + n for a process that signal n ended."""
    output: str
    """What it printed, standard output and error together, without the middle if that was very long."""
    family: Family
    timed_out: bool = False
    killed: tuple[Member, ...] = ()
    """The processes that were ended because the time was over."""
    left: tuple[Member, ...] = ()
    """The processes that are still running."""
    signal: str | None = None
    """The signal that ended it, such as ``SIGSEGV``."""
    unstored: str = ""
    """Why the state of its terminal could not be stored, if it could not."""


def run(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    deadline: float | None = None,
    grace: float = 2.0,
    redactor: Redactor | None = None,
) -> Finished:
    """
    Run a command in a session of its own, with nothing to read from its standard input.

    Processes that it leaves in the background go on: ``left`` names them, ``family.stop`` ends them. At the
    deadline, and on any exception (Ctrl-C among them), all of its processes are ended.

    Args:
        command: the program and its arguments.
        folder: where it starts.
        env: its whole environment.
        on_line: called with output as it comes: one or more lines, without the last line end.
        deadline: when to stop it, on the clock of :func:`time.monotonic`.
        grace: seconds between SIGTERM and SIGKILL.
        redactor: keeps secrets out of its output.

    Raises:
        LessonError: the command cannot be started.
    """
    token = uuid.uuid4().hex
    adopt_orphans(wanted=True)
    family = Family(-1, token)  # until its first process is known, it is found by the token alone
    process: subprocess.Popen[bytes] | None = None
    pipe: _Pipe | None = None
    killed: tuple[Member, ...] = ()
    # Ctrl-C can come at any moment, the one in which the command begins among them.
    try:
        process = _started(command, folder, {**env, TOKEN: token})
        family = Family.of(process.pid, token)
        lines = Lines(on_line, redactor=redactor)
        pipe = _Pipe(process, lines)
        in_time = _wait(process, pipe, deadline)
        if not in_time:
            killed = family.stop(grace, pipe.read)
        _reap(process)
        pipe.drain()
        left = tuple(sorted(family.members(), key=lambda member: member.pid))
        if pipe.open:
            names = ", ".join(map(str, left)) or "unknown"
            lines.note(f"[still running in the background: {names}; its further output is not shown]")
    except BaseException as error:
        if process is None and isinstance(error, LessonError):  # it has not begun
            raise
        if process is None:
            time.sleep(TICK)  # what has been forked is still becoming the command, and has no token yet
        else:
            family = family if family.root == process.pid else Family(process.pid, token)
        family.stop(grace)
        if process is not None:
            _reap(process)
        raise
    finally:
        family.reap()
        adopt_orphans(wanted=False)
        if pipe is not None:
            pipe.let_go()
        elif process is not None and process.stdout is not None:
            process.stdout.close()
    code = -signal.SIGKILL if process.returncode is None else process.returncode
    return Finished(
        exit_code=code if code >= 0 else 128 - code,
        output=lines.text(),
        family=family,
        timed_out=not in_time,
        killed=killed,
        left=left,
        signal=signal_name(-code),
    )


def _started(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            bufsize=0,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise LessonError(f"{command[0]} does not start in {folder}: {error.strerror}") from error


def signal_name(number: int) -> str | None:
    """Return ``SIGKILL`` for 9, and ``None`` for what is no signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


def _wait(process: subprocess.Popen[bytes], pipe: _Pipe, deadline: float | None) -> bool:
    """Read until the process ends, and return whether that was in time."""
    while process.poll() is None:
        if deadline is not None and time.monotonic() >= deadline:
            return False
        if pipe.open:
            pipe.read(TICK)
        else:
            _reap(process, TICK)
    return True


def _reap(process: subprocess.Popen[bytes], seconds: float = 1.0) -> None:
    # Limited even after SIGKILL: that does not reach a process that hangs in a driver.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


class _Pipe:
    """The reading end of a command's output."""

    def __init__(self, process: subprocess.Popen[bytes], lines: Lines) -> None:
        assert process.stdout is not None
        self.open = True
        self._stream = process.stdout
        self._lines = lines
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stream, selectors.EVENT_READ)

    def read(self, seconds: float) -> bool:
        """Wait for output and take it; return whether there was any."""
        if not self.open:
            time.sleep(seconds)
            return False
        if not self._selector.select(seconds):
            return False
        data = os.read(self._stream.fileno(), 65_536)
        self.open = bool(data)
        self._lines.feed(data)
        return self.open

    def drain(self) -> None:
        """Take what is left when the command has ended; a background process may hold the pipe for ever."""
        end = time.monotonic() + LINGER
        while self.open and self.read(QUIET) and time.monotonic() < end:
            pass
        self._lines.feed(b"", final=True)

    def let_go(self) -> None:
        """Read no more, but swallow what still comes: a closed pipe would kill the process that writes."""
        self._selector.close()
        if self.open:
            threading.Thread(target=_swallow, args=(os.dup(self._stream.fileno()),), daemon=True).start()
        self._stream.close()


def _swallow(descriptor: int) -> None:
    while os.read(descriptor, 65_536):
        pass
    os.close(descriptor)
