"""What happens in a run: appended to ``events.jsonl`` as it happens, and told to those who listen."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from lesson_runner.model import Event
from lesson_runner.run.record import now, plain

EVENTS = "events.jsonl"
Listener = Callable[[Event], None]
PROGRESS_SECONDS = 1.0
"""How often a step's progress is written to the file; listeners hear of all of it."""


class EventLog:
    """
    The events of one run.

    Args:
        path: ``events.jsonl``; created, or gone on with, but for half a line that a kill left.
        listeners: called with every event, in order.
    """

    def __init__(self, path: Path, listeners: Sequence[Listener]) -> None:
        cut_short(path)
        # What cannot be encoded (half of a surrogate pair) becomes the escape that JSON has for it.
        self._file: TextIO = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._listeners = listeners
        self._last_progress = 0.0

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def emit(self, event: Event) -> None:
        """Write an event down, safely on disk if it ends something, and tell the listeners."""
        if event.kind != "progress" or self._progress_is_due():
            line = {"time": now(), "event": event.kind, "step": event.step, **plain(event.data)}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()  # another program may be following the file
        if event.kind.endswith("finished"):
            os.fsync(self._file.fileno())
        for listener in self._listeners:
            listener(event)

    def _progress_is_due(self) -> bool:
        clock = time.monotonic()
        if clock - self._last_progress < PROGRESS_SECONDS:
            return False
        self._last_progress = clock
        return True


def cut_short(path: Path) -> None:
    """Remove what stands behind a file's last line end, if anything."""
    with contextlib.suppress(FileNotFoundError), path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65536)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                file.truncate(start + found + 1)
                return
            end = start
        file.truncate(0)
