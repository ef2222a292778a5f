"""Small lessons, and helpers that find their processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lesson_runner.execute.family import processes
from lesson_runner.testing import lesson_text

BOARDS = ("n150", "n300", "t3k")
PATIENCE = 120.0
"""Seconds after which :func:`until` fails."""


def toy(name: str, script: str, *, supported: tuple[str, ...] = BOARDS) -> str:
    """Return a lesson of one step, which must print ``done``."""
    body = f"<!-- step\nid: say\nexpect: [{{contains: done}}]\n-->\n```bash\n{script}\n```"
    return lesson_text(f"# {name}\n\n{body}", id=name, title=name, supportedHardware=list(supported))


def waiting_toy(name: str, folder: Path) -> str:
    """Return a lesson that notes its pid in a folder, and ends when the folder contains a file ``go``."""
    script = f'touch "{folder}/$$"\nuntil [ -e "{folder}/go" ]; do sleep 0.05; done\necho done'
    return toy(name, script)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"it did not happen: {what}"
        time.sleep(0.05)


def parents() -> dict[int, int]:
    """Return the parent of every living process."""
    return {row.member.pid: row.parent for row in processes()}


def ancestors(pid: int) -> list[int]:
    """Return the ancestors of a process, its parent first."""
    known, found = parents(), list[int]()
    while (pid := known.get(pid, 0)) > 1:
        found.append(pid)
    return found


def below(pid: int) -> set[int]:
    """Return the processes that descend from one."""
    known, found = parents(), {pid}
    while more := {child for child, parent in known.items() if parent in found} - found:
        found |= more
    return found - {pid}
