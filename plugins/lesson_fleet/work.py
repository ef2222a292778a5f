"""
Run one job on a worker: run the lesson, each pass in a separate process, and pack the results.

A lesson does not run in this process because TTML keeps state until its process ends. Nothing here uses Ray.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lesson_fleet.archive import pack
from lesson_fleet.boards import Board, environment, hold_board, pretended_boards, real_boards
from lesson_runner import __version__
from lesson_runner.execute.python import python_module
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model.errors import ExitCode, LessonError
from lesson_runner.run.find import run_folders

MOST_OUTPUT = 1024 * 1024
"""Bytes that are read from the end of a run's output."""
LONGEST_MESSAGE = 2000
"""Characters of a failed lesson's output that are returned, from its end."""
OUTPUT = "output.txt"


def run_cell(job: Mapping[str, Any], node: str, count: int) -> dict[str, Any]:
    """
    Run one job and return its results as plain data.

    Args:
        job: what :func:`lesson_fleet.cells.job_for` returned.
        node: the name of this worker, unique in its cluster.
        count: how many boards of the kind this worker has.

    Returns:
        ``host``, ``board``, ``refused`` (why nothing was run, or ``None``) and ``passes``, each with
        ``exit_code``, ``seconds``, ``message`` and ``archive`` (``None`` if no run started).
    """
    answer: dict[str, Any] = {"host": socket.gethostname(), "board": None, "refused": None, "passes": []}
    folder = Path(tempfile.mkdtemp(prefix="lesson-fleet-"))
    try:
        lesson = _write_lesson(job, folder)
        boards = (
            pretended_boards(job["hardware"], count, node)
            if job["pretended"]
            else real_boards(job["hardware"], count)
        )
        with hold_board(boards) as (board, held):
            answer["board"] = board.name
            for _ in range(job["passes"]):
                answer["passes"].append(_run_pass(job, lesson, board, held, folder))
                if answer["passes"][-1]["exit_code"] != ExitCode.GOOD:
                    break
    except LessonError as error:
        answer["refused"] = f"{error} ({error.fix})" if error.fix else str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return answer


def _write_lesson(job: Mapping[str, Any], folder: Path) -> Path:
    """
    Write the lesson's text to a file.

    Raises:
        LessonError: this worker has another release, or the text is not the one that was sent.
    """
    if job["version"] != __version__:
        raise LessonError(
            f"this worker has lesson-runner {__version__}, but the job is from {job['version']}",
            fix="install the same release on every machine",
        )
    if hashlib.sha256(job["text"]).hexdigest() != job["sha256"]:
        raise LessonError("the lesson's text was damaged in transit")
    path = folder / "lesson" / f"{job['lesson']}.md"
    path.parent.mkdir()
    path.write_bytes(job["text"])
    return path


def _run_pass(
    job: Mapping[str, Any], lesson: Path, board: Board, held: Sequence[int], folder: Path
) -> dict[str, Any]:
    """Run a lesson once, and return the result."""
    workspace = folder / "workspace"
    before = set(run_folders(workspace / "runs"))
    words = ["run", str(lesson), "--fresh", "--json", "--workspace", str(workspace), *job["arguments"]]
    variables = environment(board, job["hardware"], pretended=job["pretended"])
    started = time.monotonic()
    code = _run_with_watchdog(words, folder, variables, held)
    seconds = round(time.monotonic() - started, 3)
    with (folder / OUTPUT).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_OUTPUT))
        output_text = file.read(MOST_OUTPUT).decode("utf-8", "replace")
    runs = [path for path in run_folders(workspace / "runs") if path not in before]
    # If there is a run, its record says what went wrong.
    message = "" if runs else mask(output_text)[-LONGEST_MESSAGE:].strip()
    archive = pack(runs[0]) if runs else None
    for path in runs:  # checkpoints may be large, and the next pass starts from scratch
        shutil.rmtree(path / "files", ignore_errors=True)
    return {"exit_code": code, "seconds": seconds, "message": message, "archive": archive}


def _run_with_watchdog(
    words: Sequence[str], folder: Path, env: Mapping[str, str], held: Sequence[int]
) -> int:
    """
    Run ``lesson WORDS…`` so that it ends when this process does, and return its exit code.

    The watchdog waits at the other end of a pipe: this process never writes to it, and the system closes it
    when this process dies.
    """
    read, write = os.pipe()
    try:
        with (folder / OUTPUT).open("wb") as output:
            watchdog = subprocess.Popen(
                python_module("lesson_fleet.watchdog", str(folder), *words),
                cwd=folder,
                env=dict(env),
                stdin=read,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=held,
                start_new_session=True,
            )
        try:
            code = watchdog.wait()
        except BaseException:  # the task was cancelled
            os.close(write)
            write = -1
            watchdog.wait()
            raise
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)
    return code if code >= 0 else 128 - code
