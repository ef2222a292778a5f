"""
``python -m lesson_fleet.watchdog FOLDER ARGS…``: run ``lesson ARGS…``, and stop it if the worker is gone.

A killed worker cannot stop the processes it started. It holds the other end of this process's standard input;
when that closes, the watchdog stops the lesson and everything the lesson started, and removes its folder.
Until then it holds the board, whose locks it has inherited.

A Ray worker that is told to end kills its children at once (``kill_child_processes_on_worker_exit``), which
would free the board while the lesson on it is still ending. Therefore the watchdog is a grandchild of the
worker, and the child between them only passes on the exit code. If the watchdog itself is killed, the lesson
ends too, on Linux: see :mod:`lesson_fleet.child`.
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
"""Seconds that a lesson has to stop its processes and close its device before it is killed."""
ENDED = 128 + signal.SIGTERM
"""The exit code of a lesson that was stopped."""


def main() -> int:
    """Run a lesson with a watchdog, and return its exit code."""
    watchdog = os.fork()
    if watchdog:
        return _shell_code(os.waitstatus_to_exitcode(os.waitpid(watchdog, 0)[1]))
    os.setsid()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _run_watched(Path(sys.argv[1]), sys.argv[2:])


def _run_watched(folder: Path, words: list[str]) -> int:
    """Run a lesson until it ends or the worker is gone; then stop all processes that are left."""
    token = uuid.uuid4().hex
    # Do not use a thread: a child's death signal is sent when the thread that started it ends.
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
    finally:  # also background processes: the board must be free for the next lesson
        Family(process.pid, token).stop(GRACE, lambda seconds: _wait(process, seconds))
    if wanted:
        return _shell_code(process.wait())
    shutil.rmtree(folder, ignore_errors=True)
    return ENDED


def _closed() -> bool:
    """Wait briefly, and return whether the worker has closed its end of the pipe or has died."""
    return bool(select.select([0], [], [], TICK)[0]) and not os.read(0, 4096)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _shell_code(code: int) -> int:
    """Return an exit code as shells do: 128 + n for a process that signal n ended."""
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
