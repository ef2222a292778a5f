"""Run a probe in a separate process, so that its library cannot make us crash, hang or print."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_runner.execute.child import Captured, capture, signal_name

PROBES = Path(__file__).parent / "probes"
SECONDS = "LESSON_PROBE_SECONDS"
"""Environment variable: the time limit of each probe, for machines on which the default is too short."""
MAX_OUTPUT = 131_072
"""Bytes of a probe's output that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe answered."""

    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why there is no answer; empty if there is one."""


def ask(script: str, *words: str, seconds: float, environ: Mapping[str, str]) -> Answer:
    """
    Run one of the scripts in ``probes/`` and return its answer, which is cached for this process.

    Args:
        script: the file's name.
        words: its arguments after the path of the answer.
        seconds: time limit, unless ``LESSON_PROBE_SECONDS`` sets another.
        environ: its environment variables.
    """
    with contextlib.suppress(ValueError):  # not set, or not a number
        wanted = float(environ.get(SECONDS, ""))
        seconds = wanted if wanted > 0 else seconds
    # An empty entry means the current folder, where a folder with a library's name may be something else.
    path = os.pathsep.join(filter(None, environ.get("PYTHONPATH", "").split(os.pathsep)))
    return _ask(script, words, seconds, tuple(sorted({**environ, "PYTHONPATH": path}.items())))


@functools.cache
def _ask(script: str, words: tuple[str, ...], seconds: float, environ: tuple[tuple[str, str], ...]) -> Answer:
    try:
        folder = tempfile.TemporaryDirectory(prefix="lesson-probe-", ignore_cleanup_errors=True)
    except OSError as error:
        return Answer(problem=f"the probe cannot be started: {error}")
    with folder as name:
        path = Path(name) / "answer.json"
        command = [sys.executable, str(PROBES / script), str(path), *words]
        try:
            done = capture(
                command, env=dict(environ), seconds=seconds, most=MAX_OUTPUT, merged=True, complete=False
            )
        except OSError as error:
            return Answer(problem=f"the probe cannot be started: {error}")
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return Answer(problem=_problem(done, seconds))
    if not isinstance(data, dict):
        return Answer(problem="its answer is not valid")
    if data.get("missing"):
        return Answer(problem="not installed")
    return Answer(problem=in_one_line(str(data["error"]))) if "error" in data else Answer(data)


def _problem(done: Captured, seconds: float) -> str:
    """Say why a probe gave no answer."""
    if done.exit_code is None:
        stays = f", and process {done.unkillable} cannot be killed: it is waiting in the driver"
        return f"no answer within {seconds:g} s{stays if done.unkillable else ''}"
    if done.exit_code < 0:
        name = signal_name(-done.exit_code)
        return f"the process was killed by signal {-done.exit_code}{f' ({name})' if name else ''}"
    lines = done.output.strip().splitlines()
    return f"it ended without an answer{f': {in_one_line(lines[-1])}' if lines else ''}"


def in_one_line(text: str) -> str:
    """Return an error of tt-umd or ttnn in one line, without source locations and backtrace."""
    words: list[str] = []
    for line in text.splitlines():
        if line.startswith(("backtrace:", "Location:")):
            break
        words += line.split()
    whole = " ".join(words)
    return f"{whole[:300]}…" if len(whole) > 300 else whole
