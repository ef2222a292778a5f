"""
The streams that commands print to.

Standard output can fail before a command ends: its disk is full, or its reader or terminal is gone. A build
service may read the output, and obey workflow commands in it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from lesson_runner.cli.commands import say
from lesson_runner.report.text import inert

__all__ = ["BestEffortStream", "WorkflowCommandFilter", "filter_workflow_commands", "say", "write_answer"]

_MOST_KEPT = 200
"""Characters kept of an unfinished line, because the next write may complete a workflow command in it."""


def write_answer(text: str, output: Path | None, form: str) -> None:
    """
    Write the answer of a command to a file, and say so; or to standard output.

    Raises:
        LessonError: the file cannot be written.
    """
    from lesson_runner.files.plain import write_output
    from lesson_runner.model.errors import LessonError

    if output is None:
        sys.stdout.write(text)
        return
    try:
        write_output(output, text)
    except OSError as error:
        reason = error.strerror or error
        raise LessonError(f"{output}: cannot be written: {reason}", fix="name another file with -o") from None
    say(f"{output}: {form}, {len(text.encode()):,} bytes")


@contextlib.contextmanager
def filter_workflow_commands() -> Iterator[None]:
    """Filter workflow commands out of standard output and error; see :class:`WorkflowCommandFilter`."""
    streams = {"stdout": sys.stdout, "stderr": sys.stderr}
    # When the reader (head, less) is gone, the command continues and ends with its own exit code.
    ours = {
        name: WorkflowCommandFilter(BestEffortStream(stream, BrokenPipeError))
        for name, stream in streams.items()
        if stream is not None
    }
    for name, stream in ours.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in ours.items():
            if getattr(sys, name) is stream:  # not if it was closed
                setattr(sys, name, streams[name])


class WorkflowCommandFilter:
    """
    A stream that breaks up workflow commands, also where lines are wrapped or joined.

    Args:
        stream: the stream to write to.
    """

    def __init__(self, stream: TextIO | BestEffortStream) -> None:
        self._stream = stream
        self._line = ""
        """What was written of an unfinished line."""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream, such as its encoding or ``isatty``."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, with a space inserted into each workflow command."""
        shown = inert(self._line + text)
        self._stream.write(shown[len(self._line) :])
        self._line = shown[max(shown.rfind("\n"), shown.rfind("\r")) + 1 :]
        if len(self._line) > _MOST_KEPT:
            start = "…" if self._line.strip() else ""  # a command may have blanks before it
            self._line = f"{start}{self._line[1 - _MOST_KEPT :]}"
        return len(text)

    def write_commands(self, text: str) -> None:
        """Write whole lines with workflow commands of our own, in which everything else is escaped."""
        self._stream.write(text)


class BestEffortStream:
    """
    A stream that drops all text once it cannot be written, so that a run continues and is recorded.

    Args:
        stream: the stream to write to until it fails.
        errors: the kind of error that ends it; others are raised.
    """

    def __init__(self, stream: TextIO, errors: type[OSError] = OSError) -> None:
        self._stream = stream
        self._errors = errors

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream, such as its encoding or ``isatty``."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write ``text``, unless the stream has failed."""
        try:
            self._stream.write(text)
        except self._errors as error:
            self._end(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        try:
            self._stream.flush()
        except self._errors as error:
            self._end(error)

    def _end(self, error: OSError) -> None:
        """Discard all further text, and what the stream still buffers."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)
        if not isinstance(error, BrokenPipeError):  # head and less close the pipe on purpose
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(
                    f"error: standard output cannot be written: {error.strerror}; the command continues\n"
                )
