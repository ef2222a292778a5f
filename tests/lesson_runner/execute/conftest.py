"""Ways to run commands and blocks, and to see which processes are there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.execute.process import Finished, run
from lesson_runner.execute.shell import ShellState, run_block


def ignore(line: str) -> None:
    pass


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Callable[..., Finished]]:
    """Runs one bash command; afterwards, what it left in the background is ended."""
    ended: list[Finished] = []

    def execute(command: str, *, seconds: float | None = None, **options: Any) -> Finished:
        options = {"folder": tmp_path, "env": dict(os.environ), "on_line": ignore, "grace": 0.3, **options}
        deadline = None if seconds is None else time.monotonic() + seconds
        ended.append(run(["bash", "-c", command], deadline=deadline, **options))
        return ended[-1]

    yield execute
    for finished in ended:
        finished.family.stop(grace=0)


@pytest.fixture
def state(tmp_path: Path) -> ShellState:
    return ShellState(tmp_path / "shell", tmp_path / "files")


@pytest.fixture
def terminal(state: ShellState, tmp_path: Path) -> Callable[..., Finished]:
    """Runs one block after the other in one terminal."""

    def execute(text: str, **options: Any) -> Finished:
        block = tmp_path / "block.sh"
        block.write_bytes(text.encode() + b"\n")
        options = {"env": dict(os.environ), "on_line": ignore, **options}
        return run_block(state, block, **options)

    return execute


@pytest.fixture
def alive() -> Callable[[str | int], bool]:
    """Whether a process is there, by asking the system and not the code under test."""

    def is_alive(pid: str | int) -> bool:
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return bool(found) and not found.startswith("Z")

    return is_alive
