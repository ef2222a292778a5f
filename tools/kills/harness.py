"""Killing a run at a random moment, resuming it, and the result it must have then."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.execute.family import Family
from tools.kills.lesson import LESSON, STAGES, play

SNAPSHOTS = "0.05"
"""Seconds between the states that a training saves: scaled down from a minute, for trainings of a second."""
LIMIT = 120
"""Seconds in which a run that is left alone must end; it takes a few."""
SYNCED = ("step-finished", "run-finished")
"""Events that are synced to disk when they are written; what comes after the last of them can be lost."""


@dataclass(slots=True)
class Trial:
    """One run that was killed."""

    number: int
    kills: list[str] = field(default_factory=list)
    """What the run was doing when it was killed."""
    torn: int = 0
    """Bytes that a power cut removed from the events."""
    wrong: list[str] = field(default_factory=list)
    """How it differs from the uninterrupted run."""


def prepared(folder: Path) -> Path:
    """Write the lesson and its text into a folder and return it."""
    folder.mkdir(parents=True)
    (folder / "lesson.md").write_text(LESSON)
    (folder / "text.txt").write_text(play())
    return folder


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``lesson`` there; its standard error is appended to ``said.txt``."""
    command = [sys.executable, "-m", "lesson_runner", *words, "--allow", "shell"]
    environ = {
        **os.environ,
        "LESSON_SNAPSHOT_SECONDS": SNAPSHOTS,
        "OMP_NUM_THREADS": "1",
        "PYTHONFAULTHANDLER": "1",
    }
    with (
        (folder / "said.txt").open("ab") as said,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGABRT)  # it writes where it hangs, and ends
            raise


def ended(process: subprocess.Popen[bytes], folder: Path) -> int:
    """
    Return the exit code of a run.

    Raises:
        RuntimeError: it does not end; what it said, and where it hangs.
    """
    try:
        return process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait()
        message = f"the run does not end: {(folder / 'said.txt').read_text()}"
        raise RuntimeError(message) from None


RUN = ("run", "lesson.md", "--backend", "emulated", "--param", "dataset=text.txt")


def alone(folder: Path) -> tuple[dict[str, Any], float]:
    """Return the result of an uninterrupted run, and how many seconds it took from its beginning."""
    prepared(folder)
    with started(folder, *RUN) as process:
        assert ended(process, folder) == 0, (folder / "said.txt").read_text()
    return outcome(folder), float(_record(folder)["seconds"])


def killed(folder: Path, number: int, expected: dict[str, Any], seconds: float, draw: random.Random) -> Trial:
    """Kill a run once or more, resume it, and return how its result differs from ``expected``."""
    trial = Trial(number)
    prepared(folder)
    words: Sequence[str] = RUN
    for _ in range(draw.choice((1, 1, 2, 3))):
        with started(folder, *words) as process:
            _wait_until_it_runs(process, folder, words)
            time.sleep(draw.uniform(0, seconds))
            process.send_signal(signal.SIGKILL)
            if process.wait() != -signal.SIGKILL:
                break  # it ended before
        trial.kills.append(_at(folder))
        if draw.random() < 0.5:
            trial.torn += _tear(folder, draw)
        words = ("resume",)
    if trial.kills:
        with started(folder, "resume") as process:
            code = ended(process, folder)
        said = (folder / "said.txt").read_text()
        if code and not (code == 2 and "has passed" in said):
            trial.wrong.append(f"resume ended with {code}: {said}")
    if not trial.wrong:
        found = outcome(folder)
        trial.wrong += [name for name in expected if found[name] != expected[name]]
    return trial


def outcome(folder: Path) -> dict[str, Any]:
    """Return a run's result, without the times in it."""
    (files,) = (folder / ".lesson" / "runs").glob("*/files")
    record = _record(folder)
    found: dict[str, Any] = {
        "status": record["status"],
        "steps": [(step["id"], step["status"], step["labels"]) for step in record["steps"]],
        "facts": record["facts"],
        "notes": (files / "notes.txt").read_text(),
        "left over": sorted(path.name for path in files.rglob(".*")),
        "processes": sorted(map(str, Family.of_run(files.parent.absolute()).members())),
        "events": [name for name, event in _finished(folder) if event["status"] == "passed"],
    }
    evidence = next((folder / ".lesson" / "runs").glob("*/evidence"))
    for name in STAGES:
        checkpoint = load_checkpoint(files / "checkpoints" / f"{name}.safetensors")
        assert checkpoint.optimizer is not None
        arrays = {"losses": checkpoint.losses, **checkpoint.parameters}
        for moment, values in checkpoint.optimizer.moments.items():
            arrays |= {f"{moment} of {parameter}": array for parameter, array in values.items()}
        found[f"{name}: weights, optimizer and losses"] = {
            key: array.tobytes() for key, array in arrays.items()
        }
        samples = json.loads((evidence / f"{name}-text" / "samples.json").read_text())
        found[f"{name}: texts"] = (samples["samples"], samples["corpus"])
    return found


def _wait_until_it_runs(process: subprocess.Popen[bytes], folder: Path, words: Sequence[str]) -> None:
    """Wait until the run has started; before that, only Python is starting."""
    before = len(list(_events(folder))) if words != RUN else 0
    while process.poll() is None and len(list(_events(folder))) <= before:
        time.sleep(0.002)


def _record(folder: Path) -> dict[str, Any]:
    (path,) = (folder / ".lesson" / "runs").glob("*/record.json")
    data: dict[str, Any] = json.loads(path.read_text())
    return data


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    for path in (folder / ".lesson" / "runs").glob("*/events.jsonl"):
        for line in path.read_text().splitlines():
            if line.endswith("}"):
                yield json.loads(line)


def _finished(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the last result of each step, in the order of the steps."""
    last = {event["step"]: event for event in _events(folder) if event["event"] == "step-finished"}
    return [(step["id"], last[step["id"]]) for step in _record(folder)["steps"]]


def _at(folder: Path) -> str:
    """Return what the run was doing."""
    at = "the beginning"
    for event in _events(folder):
        if event["event"] in ("step-started", "step-finished"):
            at = f"{event['step']}" if event["event"] == "step-started" else f"after {event['step']}"
    return at


def _tear(folder: Path, draw: random.Random) -> int:
    """Remove some of what was not yet synced to disk, as a power cut does; return how many bytes."""
    (path,) = (folder / ".lesson" / "runs").glob("*/events.jsonl")
    data = path.read_bytes()
    safe = 0
    for line in data.splitlines(keepends=True):
        if any(f'"event": "{kind}"'.encode() in line for kind in SYNCED) and line.endswith(b"\n"):
            safe = data.index(line) + len(line)
    safe = safe or len(data.splitlines(keepends=True)[0])
    kept = draw.randint(safe, max(safe, len(data)))
    with path.open("rb+") as file:
        file.truncate(kept)
    return len(data) - kept
