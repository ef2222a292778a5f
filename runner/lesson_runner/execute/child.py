"""Start a program, read its output, and kill it; all other modules use this one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lesson_runner.execute.family import TICK

GATHER = 0.02
"""Seconds for which output is gathered before it is passed on: a program may write each line by itself."""
GATHERED = 65_536
"""Bytes after which it is passed on at once."""
QUIET = 0.2
"""Seconds without output, after the program has ended, until the output counts as complete."""
LINGER = 1.0
"""Seconds to read output after the program has ended, if another process keeps writing."""
KILLED_SECONDS = 2.0
"""Seconds to wait for a killed process; one that remains hangs in a driver and cannot be ended."""


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path | None = None,
    merged: bool = True,
    requests: bool = False,
    device: int | None = None,
) -> subprocess.Popen[bytes]:
    """
    Start a program in its own session, with an empty standard input.

    Args:
        env: the complete environment.
        folder: the working folder; by default the current folder.
        merged: send standard error to the pipe of standard output.
        requests: connect standard input to a pipe instead.
        device: the descriptor of a terminal device that controls the program, which inherits it.

    Raises:
        OSError: the program cannot be started.
    """
    return subprocess.Popen(
        command,
        bufsize=0,
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE if requests else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        start_new_session=True,
        pass_fds=() if device is None else (device,),
        # In the child, between fork and exec, with no lock that another thread could hold.
        preexec_fn=None if device is None else lambda: fcntl.ioctl(device, termios.TIOCSCTTY, 0),
    )


def wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait at most so many seconds for a process to end; return True if it has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process and its group; return False if it does not end."""
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
    Reads the output of a process, so that the process never blocks on a full pipe.

    Args:
        outputs: the read ends of its pipes, each with the function to call with the bytes.
    """

    def __init__(self, *outputs: tuple[IO[bytes] | None, Callable[[bytes], None]]) -> None:
        self._selector = selectors.DefaultSelector()
        self._streams: list[IO[bytes]] = []
        self._urgent: list[IO[bytes]] = []
        self._wakes: list[int] = []
        for stream, feed in outputs:
            if stream is not None:
                self.add(stream, feed)

    def add(self, stream: IO[bytes], feed: Callable[[bytes], None], *, urgent: bool = False) -> None:
        """Read this pipe too, and call ``feed`` with the bytes; at once if they are urgent."""
        if urgent:
            self._urgent.append(stream)
        self._streams.append(stream)
        self._selector.register(stream, selectors.EVENT_READ, feed)

    def wake(self, descriptor: int) -> None:
        """Make :meth:`read` return once when this descriptor can be read. :meth:`close` closes it."""
        self._wakes.append(descriptor)
        self._selector.register(descriptor, selectors.EVENT_READ)

    def release(self, stream: IO[bytes]) -> None:
        """No longer read this pipe, and leave it open."""
        if stream in self._streams:
            self._streams.remove(stream)
            with contextlib.suppress(KeyError):  # it has reached its end
                self._selector.unregister(stream)

    @property
    def open(self) -> bool:
        """True until all pipes have reached their end."""
        return bool(self._selector.get_map())

    def read(self, seconds: float) -> bool:
        """Wait at most so many seconds for output, and read it; return True if there was any."""
        if not self.open:
            time.sleep(seconds)
            return False
        found: dict[int, tuple[Callable[[bytes], None], list[bytes]]] = {}
        size, left, until = 0, seconds, time.monotonic() + seconds
        while self.open and size < GATHERED and left >= 0:
            ready = self._selector.select(left)
            if not found and seconds:
                until = time.monotonic() + GATHER
            for key, _ in ready:
                if key.data is None:
                    self._selector.unregister(key.fd)
                elif data := _read_some(key.fd):
                    found.setdefault(key.fd, (key.data, []))[1].append(data)
                    size += len(data)
                else:
                    self._selector.unregister(key.fileobj)
                if key.data is None or key.fileobj in self._urgent:
                    until = 0.0
            if not ready:
                break
            left = until - time.monotonic()
        for feed, parts in found.values():
            feed(b"".join(parts))
        return bool(found)

    def read_until_end(self, process: subprocess.Popen[bytes], deadline: float | None) -> bool:
        """Read until the process ends; return True if it ended before the deadline (monotonic clock)."""
        while process.poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            if self.open:
                self.read(TICK)
            else:
                wait(process, TICK)
        return True

    def drain(self) -> None:
        """Read the rest after the process has ended; another process may keep the pipe open for ever."""
        end = time.monotonic() + LINGER
        while self.open and self.read(QUIET) and time.monotonic() < end:
            pass

    def close(self, rest: Callable[[bytes], None] = lambda _: None) -> None:
        """
        Stop reading, but not for the processes that write: a closed pipe would kill them.

        Args:
            rest: called with later output, by default discarded, and with nothing at its end; in a thread.
        """
        for key in [key for key in (self._selector.get_map() or {}).values() if key.data is not None]:
            threading.Thread(target=_read_rest, args=(os.dup(key.fd), rest), daemon=True).start()
        self._selector.close()
        for stream in self._streams:
            stream.close()
        for descriptor in self._wakes:
            os.close(descriptor)


def _read_some(descriptor: int) -> bytes:
    """Return the next bytes; none at the end, which of a terminal device is an error."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def _read_rest(descriptor: int, feed: Callable[[bytes], None]) -> None:
    while data := _read_some(descriptor):
        feed(data)
    feed(b"")
    os.close(descriptor)


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """The output of a program, and how it ended."""

    exit_code: int | None
    """Negative: the signal that ended it. ``None``: it ran out of time and was killed."""
    output: str
    errors: str
    """Standard error; empty if it is part of ``output``."""
    unkillable: int | None = None
    """The process number, if the process could not be killed."""


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
    Run a program for at most so many seconds, and return its output.

    When time is up, and on any exception (including Ctrl-C), the program and its group are killed.

    Args:
        env: the complete environment.
        most: bytes to keep of each output, from its start and its end.
        merged: include standard error in the output.
        complete: also wait for the end of the output, which a background process may hold open.

    Raises:
        OSError: the program cannot be started.
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
    """The start and the end of an output."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._head, self._tail = b"", b""

    def feed(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail = (self._tail + data[room:])[-self._half :]

    def text(self) -> str:
        """Return the text that was kept, with LF line endings."""
        text = (self._head + self._tail).decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")
