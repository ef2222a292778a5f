"""
``python -m lesson_fleet.guard FOLDER ARGS…``: ``lesson ARGS…``, ended when whoever asked for it is gone.

A worker that is killed cannot end what it has started. It holds the other end of this process's standard
input; when that closes, the lesson and all that it started are ended, and its folder is removed. Until then
the guard holds the board: it has inherited its locks.

A worker of Ray that is told to end kills its children at once (``kill_child_processes_on_worker_exit``). The
board would be let go of while the lesson on it is still ending. So the guard is a child's child, and the child
only passes on its exit code. Killed itself, the guard takes the lesson along on Linux:
:mod:`lesson_fleet.tied`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from lesson_runner.execute.process import run

GRACE = 10.0
"""Seconds for a lesson to end its own processes and close its device, before it is killed."""
ENDED = 128 + signal.SIGTERM
"""The exit code of a lesson that was ended."""


def main() -> int:
    """Run a lesson under guard, and return its exit code."""
    guard = os.fork()
    if guard:
        code = os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1])
        return code if code >= 0 else 128 - code
    os.setsid()
    return _guarded(Path(sys.argv[1]), sys.argv[2:])


def _guarded(folder: Path, words: list[str]) -> int:
    command = [sys.executable, "-m", "lesson_fleet.tied", str(os.getpid()), *words]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_watch, daemon=True).start()
    try:
        done = run(command, folder=folder, env=os.environ, on_line=_say, grace=GRACE)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return ENDED
    if done.left:  # the next lesson must find the board free
        done.family.stop(GRACE)
    return done.exit_code


def _watch() -> None:
    """Wait until the worker's end of the pipe is closed: by the worker, or by the system when it died."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
