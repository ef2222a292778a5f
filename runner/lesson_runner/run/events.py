"""The events of a run: appended to ``events.jsonl`` as they happen, and passed to listeners."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.files.plain import plain_handle
from lesson_runner.files.untrusted import open_sized, parse_json
from lesson_runner.model import Event
from lesson_runner.model.errors import LessonError
from lesson_runner.run.record import DAMAGED, now, plain

EVENTS = "events.jsonl"
Listener = Callable[[Event], None]
MOST_BYTES = 1024**3
"""Bytes of ``events.jsonl`` that are read: enough for a run of 1,000 steps with much output."""
LONGEST = 16 * 1024 * 1024
"""Bytes of a line of ``events.jsonl``; the runner does not write longer ones."""
PROGRESS_SECONDS = 1.0
"""Seconds between two progress events in the file; listeners get every one."""


class EventLog:
    """
    The events of one run.

    An event that cannot be written (the disk is full, the folder was removed) does not end the run: it is
    counted, and the next line that can be written is preceded by an ``events-lost`` line with the number of
    missing events and the reason. The file holds only whole lines.

    Args:
        path: ``events.jsonl``; created, or appended to after removing a partial last line left by a kill.
        listeners: called with every event, in order.
        redactor: removes secrets from what is written and passed on.
    """

    def __init__(self, path: Path, listeners: Sequence[Listener], redactor: Redactor | None = None) -> None:
        with suppress(OSError):
            drop_partial_line(path)
        self._redactor = redactor or Redactor()
        self._path = path
        self._file: int | None = None
        self._lost = 0
        self._reason = ""
        self._listeners = listeners
        self._last_progress = 0.0

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def emit(self, event: Event) -> None:
        """Write an event (synced to disk if a step or the run finished), then call the listeners."""
        event = Event(event.kind, event.step, self._redactor.data(event.data))
        if event.kind != "progress" or self._progress_is_due():
            line = {"time": now(), "event": event.kind, "step": event.step, **plain(event.data)}
            try:
                self._write(line)
                if event.kind.endswith("finished") and self._file is not None:
                    os.fsync(self._file)
            except OSError as error:
                self._lost += 1
                self._reason = error.strerror or str(error)
        for listener in self._listeners:
            listener(event)

    def _write(self, line: Mapping[str, Any]) -> None:
        """Write a line, preceded by a note about lost events; another program may be following the file."""
        if self._lost:
            lost = {"events": self._lost, "reason": self._reason}
            self._append({"time": now(), "event": "events-lost", "step": None, **lost})
            self._lost = 0
        self._append(line)

    def _append(self, line: Mapping[str, Any]) -> None:
        """Append a line, whole or not at all."""
        # A lone surrogate cannot be encoded; it becomes its JSON escape.
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        file = self._open_file()
        size = os.fstat(file).st_size
        try:
            if os.write(file, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(file, size)
            raise

    def _open_file(self) -> int:
        """Return the file descriptor; open the file again if it was removed."""
        if self._file is not None and _is_gone(self._file):
            self._close()
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = plain_handle(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def _progress_is_due(self) -> bool:
        clock = time.monotonic()
        if clock - self._last_progress < PROGRESS_SECONDS:
            return False
        self._last_progress = clock
        return True


def _is_gone(file: int) -> bool:
    """Return whether an open file has been removed."""
    try:
        return os.fstat(file).st_nlink == 0
    except OSError:  # on a file server that no longer has it
        return True


def drop_partial_line(path: Path) -> None:
    """
    Remove a partial last line from a file.

    Raises:
        OSError: the file does not exist, is not a plain file, or cannot be written.
    """
    with os.fdopen(plain_handle(path, os.O_RDWR), "rb+") as file:
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


def read_events(run: Path) -> Iterator[dict[str, Any]]:
    """
    Yield the events of a run; lines that are not events, such as a partial last line, are skipped.

    Raises:
        LessonError: the file cannot be read.
    """
    try:
        with open_sized(run, EVENTS, MOST_BYTES) as file:
            while line := file.readline(LONGEST):
                if b'"event"' not in line:
                    continue
                try:
                    event = parse_json(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
    except OSError as error:
        raise LessonError(f"{run / EVENTS}: cannot be read: {error.strerror}", fix=DAMAGED) from None
