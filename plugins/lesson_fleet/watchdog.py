"""
``python -m lesson_fleet.watchdog FOLDER ARGS…``: ``lesson ARGS…``, ended when whoever asked for it is gone.

A worker that is killed cannot end what it has started. It holds the other end of this process's standard
input; when that closes, the lesson and all that it started are ended, and its folder is removed. Until then
the guard holds the board: it has inherited its locks.

A worker of Ray that is told to end kills its children at once (``kill_child_processes_on_worker_exit``), so
that the board would be free while the lesson on it is still ending. Therefore the guard is a child's child,
and the child only passes on its exit code. Killed itself, the guard takes the lesson along, on Linux:
:mod:`lesson_fleet.child`.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

from lesson_runner.execute.family import TICK, TOKEN, Family
from lesson_runner.execute.python import python_module

GRACE = 10.0
"""Seconds for a lesson to end its own processes and close its device, before it is killed."""
ENDED = 128 + signal.SIGTERM
"""The exit code of a lesson that was ended."""


def main() -> int:
    """Run a lesson under guard, and return its exit code."""
    guard = os.fork()
    if guard:
        return _shell_code(os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1]))
    os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _guarded(Path(sys.argv[1]), sys.argv[2:])


def _guarded(folder: Path, words: list[str]) -> int:
    """Run a lesson until it ends or nobody wants it any more; then end whatever is left of it."""
    token = uuid.uuid4().hex
    # No thread: the system tells a child that its parent's thread has died, and would tell it twice.
    process = subprocess.Popen(
        python_module("lesson_fleet.child", str(os.getpid()), *words),
        cwd=folder,
        env={**os.environ, TOKEN: token},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    wanted = True
    try:
        while wanted and process.poll() is None:
            wanted = not _closed()
    except KeyboardInterrupt:
        wanted = False
    finally:  # also what it has left in the background: the next lesson must find the board free
        Family(process.pid, token).stop(GRACE, lambda seconds: _wait(process, seconds))
    if wanted:
        return _shell_code(process.wait())
    shutil.rmtree(folder, ignore_errors=True)
    return ENDED


def _closed() -> bool:
    """Wait for a moment, and return whether the worker has closed its end of the pipe, or has died."""
    return bool(select.select([0], [], [], TICK)[0]) and not os.read(0, 4096)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _shell_code(code: int) -> int:
    """Return an exit code as a shell has it: 128 + n for a process that signal n ended."""
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
