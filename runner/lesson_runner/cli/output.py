"""Standard output that may end before the command does: its disk is full, its reader or terminal has gone."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO


class Patient:
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
