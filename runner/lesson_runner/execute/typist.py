"""A terminal device for one block, and who types: the answers of a lesson, or the person who follows it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from lesson_runner.execute.child import Reader
from lesson_runner.execute.lines import MOST_KEPT
from lesson_runner.execute.redaction.views import as_displayed

ROWS, COLUMNS = 24, 100
FIRST_DESCRIPTOR = 60
"""The device's descriptor in bash is at least this: blocks use low numbers, and the driver 53."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A line to type."""

    ask: str
    """A regular expression for the question."""
    answer: str


class Typist:
    """
    Types answers, each when its question is on the screen, in the order in which they are given.

    Raises:
        OSError: the system has no free terminal devices.
    """

    def __init__(self, answers: Sequence[Answer] = ()) -> None:
        self._answers = list(answers)
        self._shown = ""
        """What was printed since the last answer."""
        master, slave = pty.openpty()
        self.master: IO[bytes] = os.fdopen(master, "rb", buffering=0)
        self.device = fcntl.fcntl(slave, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR)
        """The descriptor of the terminal device; bash inherits it under the same number."""
        os.close(slave)
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    @property
    def asked(self) -> str:
        """What the block shows since the last answer: the last line that is not empty."""
        rows = (as_displayed(row).strip() for row in reversed(self._shown.splitlines()))
        return next(filter(None, rows), "")

    @property
    def unasked(self) -> str | None:
        """The pattern of the first question that did not come; ``None`` if all came."""
        return self._answers[0].ask if self._answers else None

    def attach(self, reader: Reader, feed: Callable[[bytes], None]) -> None:
        """Let a reader read what the block prints, pass it on to ``feed``, and type."""

        def read(data: bytes) -> None:
            feed(data)
            self._read(data)

        reader.add(self.master, read)

    def detach(self, reader: Reader) -> None:
        """No longer let a reader read."""
        reader.release(self.master)

    def _read(self, data: bytes) -> None:
        self._shown = (self._shown + data.decode("utf-8", "replace"))[-MOST_KEPT:]
        while self._answers and (found := re.search(self._answers[0].ask, self._shown)):
            self._shown = self._shown[found.end() :]
            self.type(f"{self._answers.pop(0).answer}\n".encode())

    def type(self, data: bytes) -> None:
        """Type bytes."""
        with contextlib.suppress(OSError):  # the device is gone
            os.write(self.master.fileno(), data)

    def close(self) -> None:
        """Give the device back."""
        os.close(self.device)
        self.master.close()


class Person(Typist):
    """The person at this terminal types, and sees what the block prints as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self._before: list[Any] | None = None
        self._keys: IO[bytes] = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)

    def attach(self, reader: Reader, feed: Callable[[bytes], None]) -> None:
        """Let a reader read what the block prints and what the person types."""
        super().attach(reader, feed)
        size = fcntl.ioctl(self._keys, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(self.device, termios.TIOCSWINSZ, size)
        self._before = termios.tcgetattr(self._keys)
        tty.setraw(self._keys.fileno())
        reader.add(self._keys, self.type, urgent=True)

    def detach(self, reader: Reader) -> None:
        """No longer let a reader read; give the keyboard back."""
        super().detach(reader)
        reader.release(self._keys)
        if self._before is not None:
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._before)
            self._before = None

    def _read(self, data: bytes) -> None:
        super()._read(data)
        os.write(sys.stdout.fileno(), data)

    def close(self) -> None:
        """Give the device back."""
        super().close()
        self._keys.close()
