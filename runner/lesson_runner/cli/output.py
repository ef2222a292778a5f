"""
What commands print, and where to.

Standard output may end before the command does: its disk is full, its reader or terminal has gone. A build
service may read all of it, and take commands from it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from lesson_runner.cli.commands import say
from lesson_runner.report.text import inert

__all__ = ["BestEffortStream", "WorkflowCommandFilter", "filter_workflow_commands", "say"]

_REMEMBERED = 200
"""Characters of an unfinished line that are kept: what is written next may complete a command."""


@contextlib.contextmanager
def filter_workflow_commands() -> Iterator[None]:
    """Keep build services from finding commands in what is printed; see :class:`WorkflowCommandFilter`."""
    streams = {"stdout": sys.stdout, "stderr": sys.stderr}
    ours = {name: WorkflowCommandFilter(stream) for name, stream in streams.items() if stream is not None}
    for name, stream in ours.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in ours.items():
            if getattr(sys, name) is stream:  # not if it was closed for good
                setattr(sys, name, streams[name])


class WorkflowCommandFilter:
    """
    A stream in which no line is a workflow command, wherever lines were wrapped or joined.

    Args:
        stream: where text goes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""
        """What was written of a line that has not ended yet."""

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has: its encoding, and whether it is a terminal."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, with spaces in what would be a workflow command."""
        shown = inert(self._line + text)
        self._stream.write(shown[len(self._line) :])
        self._line = shown[max(shown.rfind("\n"), shown.rfind("\r")) + 1 :]
        if len(self._line) > _REMEMBERED:
            begun = "…" if self._line.strip() else ""  # blanks before a command do not count
            self._line = f"{begun}{self._line[1 - _REMEMBERED :]}"
        return len(text)

    def write_commands(self, text: str) -> None:
        """Write ``text``: whole lines with commands of our own, in which everything else is escaped."""
        self._stream.write(text)


class BestEffortStream:
    """
    A stream that says no more when it cannot be written: a run goes on, and is recorded.

    Args:
        stream: where text goes as long as that works.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has: its encoding, and whether it is a terminal."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, if anybody can read it."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._end(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            self._stream.flush()
        except OSError as error:
            self._end(error)

    def _end(self, error: OSError) -> None:
        """Let what is written from here on, and what the stream still holds, go nowhere."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)
        if not isinstance(error, BrokenPipeError):  # head and less go when they have seen enough
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"error: standard output cannot be written: {error.strerror}; going on\n")
