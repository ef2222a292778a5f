"""
Allow one run at a time to work in a folder, with a lock file.

The system releases the lock when the process that holds it ends, however it ends. The content of the file
names the owner for people; no decision depends on it. On file systems without locks (some NFS and FUSE), a
second file that is created exclusively replaces the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lesson_runner.execute.family import start_time
from lesson_runner.files.plain import open_plain, plain_handle, read_plain
from lesson_runner.files.untrusted import parse_json
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import Workspace
from lesson_runner.run.record import now

LOCK = "lock"
"""The lock file in a run folder, or in a workspace."""
MARK = "lock.held"
"""Exists next to the lock file during a run, on file systems without locks."""
MOST_BYTES = 4096
"""How much of a lock file is read, in bytes."""


def lock_folder(workspace: Workspace, home: Path) -> Path:
    """
    Return the folder with the lock of a run's files.

    This is the run folder with the files. Runs in a folder of the user's lock the whole workspace, so that
    nothing of ours is written there.
    """
    return home if workspace.files.is_relative_to(home) else workspace.root


@contextmanager
def locked(folder: Path, run: str) -> Iterator[None]:
    """
    Hold the lock of a folder.

    Args:
        run: the name of the run that holds it.

    Raises:
        LessonError: another run holds the lock, or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = plain_handle(path, os.O_RDWR | os.O_CREAT, mode=0o644)
    except OSError as error:
        fix = "remove it, or choose a writable folder with --workspace"
        raise LessonError(f"{path}: cannot be written: {error.strerror}", fix=fix) from None
    with os.fdopen(handle, "r+", encoding="utf-8", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fix = "wait until it ends, or run the lesson from its first step"
            raise LessonError(f"{folder} is in use by {_describe_owner(path)}", fix=fix) from None
        except OSError:  # a file system without locks
            with _held_by_file(folder, run):
                yield
            return
        with contextlib.suppress(OSError):  # a full disk: the lock works anyway
            file.truncate()
            file.write(_owner_data(run))
            file.flush()
        yield


@contextmanager
def locked_place(place: Path) -> Iterator[None]:
    """
    Hold the lock of a folder of the user's, in which nothing of ours is written.

    Runs of other workspaces hold it too. On file systems without locks nothing is held.

    Raises:
        LessonError: another run holds the lock.
    """
    try:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # it is not readable
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LessonError(f"--in {place}: another run works there", fix="wait until it ends") from None
        except OSError:
            pass
        yield
    finally:
        os.close(handle)


def _owner_data(run: str) -> str:
    """Return the content of a lock file."""
    pid = os.getpid()
    about = {"run": run, "pid": pid, "host": platform.node(), "since": now(), "started": start_time(pid)}
    return json.dumps(about)


@contextmanager
def _held_by_file(folder: Path, run: str) -> Iterator[None]:
    """
    Hold a folder with a file that only one process can create, on file systems without locks.

    Unlike a lock, the file remains when the process is killed. If that process ran on this machine, the file
    is recognised as stale.

    Raises:
        LessonError: another run holds the folder, or the file cannot be written.
    """
    path = folder / MARK
    try:
        if path.exists() and _is_gone(path):
            path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_owner_data(run))
    except FileExistsError:
        fix = f"wait until it ends; if it is no longer running, remove {path}"
        raise LessonError(f"{folder} is in use by {_describe_owner(path)}", fix=fix) from None
    except OSError as error:
        fix = "choose a writable folder with --workspace"
        raise LessonError(f"{path}: cannot be written: {error.strerror}", fix=fix) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_gone(path: Path) -> bool:
    """Return whether the process named in the file ran on this machine and has ended."""
    try:
        about: Any = parse_json(read_plain(path, MOST_BYTES))
        return bool(about["host"] == platform.node() and start_time(int(about["pid"])) != about["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def lock_owner(folder: Path) -> str | None:
    """Describe the run that holds the lock of a folder; ``None`` if no run does."""
    mark = folder / MARK
    if mark.exists() and not _is_gone(mark):
        return _describe_owner(mark)
    try:
        with open_plain(folder / LOCK) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _describe_owner(folder / LOCK)
    except OSError:
        return None
    return None


def _describe_owner(path: Path) -> str:
    """Describe the owner that a lock file names."""
    try:
        about: Any = parse_json(read_plain(path, MOST_BYTES))
        began = datetime.fromisoformat(about["since"].replace("Z", "+00:00"))
        seconds = (datetime.now(timezone.utc) - began).total_seconds()
        host = "" if about["host"] == platform.node() else f" on {about['host']}"
        return f"the run {about['run']} (process {about['pid']}{host}, for {max(seconds, 0):.0f} s)"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "another run"
