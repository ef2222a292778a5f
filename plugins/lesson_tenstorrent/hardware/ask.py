"""Run a probe in a process of its own, and never raise, hang or print for what the library in it does."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROBES = Path(__file__).parent / "probes"
SECONDS = "LESSON_PROBE_SECONDS"
"""Environment variable: how long each probe may take, for machines on which the default is too short."""
KILLED_SECONDS = 2.0
"""A killed process that is still there then waits in the driver, where nothing can end it."""
_TAIL_BYTES = 65_536
"""Of what a probe printed, so much of the end is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe found out."""

    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why there is no answer, in words; empty if there is one."""


def ask(script: str, *words: str, seconds: float, environ: Mapping[str, str]) -> Answer:
    """
    Run one of the scripts in ``probes/`` and return its answer; the same question is asked once a process.

    Args:
        script: the file's name.
        words: its arguments after the path of the answer.
        seconds: how long it may take, unless ``LESSON_PROBE_SECONDS`` says otherwise.
        environ: the variables it sees.
    """
    with contextlib.suppress(ValueError):  # not set, or no number
        wanted = float(environ.get(SECONDS, ""))
        seconds = wanted if wanted > 0 else seconds
    # An empty entry means the current folder, where a folder of a library's name need not be the library.
    path = os.pathsep.join(filter(None, environ.get("PYTHONPATH", "").split(os.pathsep)))
    return _ask(script, words, seconds, tuple(sorted({**environ, "PYTHONPATH": path}.items())))


@functools.cache
def _ask(script: str, words: tuple[str, ...], seconds: float, environ: tuple[tuple[str, str], ...]) -> Answer:
    try:
        folder = tempfile.TemporaryDirectory(prefix="lesson-probe-", ignore_cleanup_errors=True)
    except OSError as error:
        return Answer(problem=f"it cannot be asked: {error}")
    with folder as name:
        path, log = Path(name) / "answer.json", Path(name) / "log.txt"
        command = [sys.executable, str(PROBES / script), str(path), *words]
        try:
            with log.open("wb") as file:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=dict(environ),
                    start_new_session=True,
                )
        except OSError as error:
            return Answer(problem=f"it cannot be asked: {error}")
        ended_by = _wait(process, seconds)
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return Answer(problem=ended_by or f"it ended without an answer{_last_line(log)}")
    if not isinstance(data, dict):
        return Answer(problem="it answered nonsense")
    if data.get("missing"):
        return Answer(problem="not installed")
    return Answer(problem=in_a_line(str(data["error"]))) if "error" in data else Answer(data)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Wait for the end of a process, kill it after its time, and return how it ended if not by itself."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} s{_kill(process)}"
    except BaseException:  # Ctrl-C: it must not go on without us
        _kill(process)
        raise
    if code >= 0:
        return ""
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"the process was ended by signal {-code}{name}"


def _kill(process: subprocess.Popen[bytes]) -> str:
    """Kill a process with its children; return a warning if it stays."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(KILLED_SECONDS)
    except subprocess.TimeoutExpired:
        return f", and process {process.pid} cannot be ended: it waits in the driver"
    return ""


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _TAIL_BYTES, 0))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return f": {in_a_line(lines[-1])}" if lines else ""


def in_a_line(text: str) -> str:
    """Return what an error of tt-umd or ttnn says, without the places in their sources and the backtrace."""
    said: list[str] = []
    for line in text.splitlines():
        if line.startswith(("backtrace:", "Location:")):
            break
        said += line.split()
    whole = " ".join(said)
    return f"{whole[:300]}…" if len(whole) > 300 else whole
