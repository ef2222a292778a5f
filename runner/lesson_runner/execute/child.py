"""Start a program, read what it prints, and end it: the one place where that is done."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lesson_runner.execute.family import TICK

QUIET = 0.2
"""How long the output must be silent, after the program has ended, to be taken as complete."""
LINGER = 1.0
"""How long output is read after the program has ended, if another process keeps writing."""
KILLED_SECONDS = 2.0
"""A killed process that is still there after this time waits in a driver, where nothing can end it."""


def start(
    command: Sequence[str], *, env: Mapping[str, str], folder: Path | None = None, merged: bool = True
) -> subprocess.Popen[bytes]:
    """
    Start a program in a session of its own, with nothing to read from its standard input.

    Args:
        env: its whole environment.
        folder: where it starts; the current folder if left out.
        merged: its standard error goes into the pipe of its standard output.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(
        command,
        bufsize=0,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        start_new_session=True,
    )


def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process for at most so many seconds; return True if it has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process with its group; return False if it cannot be killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return wait(process, KILLED_SECONDS)


def signal_name(number: int) -> str | None:
    """Return ``SIGKILL`` for 9, and ``None`` for a number that is not a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return None


class Reader:
    """
    Reads what a process prints, so that the process never waits for us.

    Args:
        outputs: the reading ends of its pipes, each with the function that takes the bytes.
    """

    def __init__(self, *outputs: tuple[IO[bytes] | None, Callable[[bytes], None]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._streams: list[IO[bytes]] = []
        for stream, feed in outputs:
            if stream is not None:
                self._streams.append(stream)
                self._selector.register(stream, selectors.EVENT_READ, feed)

    @property
    def open(self) -> bool:
        """True until all pipes have come to their end."""
        return bool(self._selector.get_map())

    def read(self, seconds: float) -> bool:
        """Wait for output for at most so many seconds, and take it; return True if there was any."""
        if not self.open:
            time.sleep(seconds)
            return False
        found = False
        for key, _ in self._selector.select(seconds):
            if data := os.read(key.fd, 65_536):
                key.data(data)
                found = True
            else:
                self._selector.unregister(key.fileobj)
        return found

    def read_until_end(self, process: subprocess.Popen[bytes], deadline: float | None) -> bool:
        """Read until the process ends, and return True if that was before the deadline (monotonic)."""
        while process.poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            if self.open:
                self.read(TICK)
            else:
                wait(process, TICK)
        return True

    def drain(self) -> None:
        """Take what is left when the process has ended; another one may hold the pipe for ever."""
        end = time.monotonic() + LINGER
        while self.open and self.read(QUIET) and time.monotonic() < end:
            pass

    def close(self) -> None:
        """Read no more, but discard what still comes: a closed pipe would kill the process that writes."""
        for key in list((self._selector.get_map() or {}).values()):
            threading.Thread(target=_discard, args=(os.dup(key.fd),), daemon=True).start()
        self._selector.close()
        for stream in self._streams:
            stream.close()


def _discard(descriptor: int) -> None:
    while os.read(descriptor, 65_536):
        pass
    os.close(descriptor)


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """What a program has printed, and how it ended."""

    exit_code: int | None
    """Negative: the signal that ended it. ``None``: its time was over, and it was killed."""
    output: str
    errors: str
    """Empty if they are in ``output``."""
    unkillable: int | None = None
    """The number of its process, if that could not be killed."""


def capture(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    seconds: float,
    most: int,
    merged: bool = False,
    complete: bool = True,
) -> CapturedOutput:
    """
    Run a program for at most so many seconds, and return what it printed.

    When its time is over, and on any exception (Ctrl-C among them), it is killed with its group.

    Args:
        env: its whole environment.
        most: bytes that are kept of each output: the beginning and the end.
        merged: its errors are in its output.
        complete: wait for the end of the output too, which a process in the background may hold open.

    Raises:
        OSError: it cannot be started.
    """
    deadline = time.monotonic() + seconds
    output, errors, unkillable = _HeadAndTail(most), _HeadAndTail(most), None
    process = start(command, env=env, merged=merged)
    try:
        with contextlib.closing(
            Reader((process.stdout, output.feed), (process.stderr, errors.feed))
        ) as reader:
            in_time = reader.read_until_end(process, deadline)
            if in_time and complete:
                while reader.open and (left := deadline - time.monotonic()) > 0:
                    reader.read(left)
                in_time = not reader.open
            elif in_time:
                reader.drain()
            if not in_time and not kill(process):
                unkillable = process.pid
    except BaseException:
        kill(process)
        raise
    return CapturedOutput(process.returncode if in_time else None, output.text(), errors.text(), unkillable)


class _HeadAndTail:
    """The beginning and the end of an output."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._head, self._tail = b"", b""

    def feed(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail = (self._tail + data[room:])[-self._half :]

    def text(self) -> str:
        """Return what was kept, with line ends as in a terminal."""
        text = (self._head + self._tail).decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")
