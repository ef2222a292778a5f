"""
What a worker does for one cell: run the lesson, each pass in a process of its own, and pack what came of it.

Not in this process: TTML keeps state for as long as a process lives. Nothing here knows Ray.
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
from lesson_fleet.boards import Board, environment, pretended_boards, real_boards, taken
from lesson_runner import __version__
from lesson_runner.execute.python import python_module
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model.errors import ExitCode, LessonError
from lesson_runner.run.find import run_folders

MOST_SAID = 1024 * 1024
"""Bytes that are read of the end of what a run printed."""
LONGEST_MESSAGE = 2000
"""Characters of what a failed lesson printed last."""
OUTPUT = "output.txt"


def run_cell(order: Mapping[str, Any], node: str, count: int) -> dict[str, Any]:
    """
    Run one cell and return what came of it, as plain data.

    Args:
        order: what :func:`lesson_fleet.cells.order_for` returned.
        node: the name of this worker, unique in its cluster.
        count: how many boards of the kind this worker has.

    Returns:
        ``host``, ``board``, ``refused`` (why nothing was run, or ``None``) and ``passes``, each with
        ``exit_code``, ``seconds``, ``message`` and ``archive`` (``None`` if no run began).
    """
    answer: dict[str, Any] = {"host": socket.gethostname(), "board": None, "refused": None, "passes": []}
    folder = Path(tempfile.mkdtemp(prefix="lesson-fleet-"))
    try:
        lesson = _write_lesson(order, folder)
        boards = (
            pretended_boards(order["hardware"], count, node)
            if order["pretended"]
            else real_boards(order["hardware"], count)
        )
        with taken(boards) as (board, held):
            answer["board"] = board.name
            for _ in range(order["passes"]):
                answer["passes"].append(_run_pass(order, lesson, board, held, folder))
                if answer["passes"][-1]["exit_code"] != ExitCode.GOOD:
                    break
    except LessonError as error:
        answer["refused"] = f"{error} ({error.fix})" if error.fix else str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return answer


def _write_lesson(order: Mapping[str, Any], folder: Path) -> Path:
    """
    Write the lesson's text where a process can read it.

    Raises:
        LessonError: this worker has another release, or the text is not what was sent.
    """
    if order["version"] != __version__:
        raise LessonError(
            f"this worker has lesson-runner {__version__}, and was asked by {order['version']}",
            fix="install the same release on every machine",
        )
    if hashlib.sha256(order["text"]).hexdigest() != order["sha256"]:
        raise LessonError("the lesson's text was damaged on its way")
    path = folder / "lesson" / f"{order['lesson']}.md"
    path.parent.mkdir()
    path.write_bytes(order["text"])
    return path


def _run_pass(
    order: Mapping[str, Any], lesson: Path, board: Board, held: Sequence[int], folder: Path
) -> dict[str, Any]:
    """Run a lesson once, and return what came of it."""
    workspace = folder / "workspace"
    before = set(run_folders(workspace / "runs"))
    words = ["run", str(lesson), "--fresh", "--json", "--workspace", str(workspace), *order["arguments"]]
    variables = environment(board, order["hardware"], pretended=order["pretended"])
    started = time.monotonic()
    code = _under_guard(words, folder, variables, held)
    seconds = round(time.monotonic() - started, 3)
    with (folder / OUTPUT).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - MOST_SAID))
        said = file.read(MOST_SAID).decode("utf-8", "replace")
    runs = [path for path in run_folders(workspace / "runs") if path not in before]
    # A lesson that ran prints its record; what went wrong is in there.
    message = "" if runs else mask(said)[-LONGEST_MESSAGE:].strip()
    archive = pack(runs[0]) if runs else None
    for path in runs:  # checkpoints may be large, and the next pass begins afresh
        shutil.rmtree(path / "files", ignore_errors=True)
    return {"exit_code": code, "seconds": seconds, "message": message, "archive": archive}


def _under_guard(words: Sequence[str], folder: Path, env: Mapping[str, str], held: Sequence[int]) -> int:
    """
    Run ``lesson WORDS…`` so that it ends when this process does, and return its exit code.

    The pipe is the tie: this process never writes into it, and the system closes it when this process dies.
    """
    read, write = os.pipe()
    try:
        with (folder / OUTPUT).open("wb") as output:
            guard = subprocess.Popen(
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
            code = guard.wait()
        except BaseException:  # the task was cancelled
            os.close(write)
            write = -1
            guard.wait()
            raise
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)
    return code if code >= 0 else 128 - code
