"""A step that prints 100,000 lines, one at a time, to a pipe and to a terminal."""

from __future__ import annotations

import os
import pty
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.commands import LESSON, lesson_of, silent
from benchmarks.turns import Timing, in_turns

LINES = 100_000
SCRIPT = f"for ((n = 0; n < {LINES}; n++)); do echo line number $n; done; echo done"


def run(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """Measure a step that prints 100,000 lines, and the same commands in bash."""
    del folder
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "lesson.md").write_text(lesson_of(1, "bash", SCRIPT))
        lesson = [*LESSON, "run", "lesson.md", "--allow", "shell"]
        ways: dict[str, Callable[[], object]] = {
            "bash, to a pipe": silent(["bash", "-c", SCRIPT]),
            "lesson run, to a pipe": silent(lesson, place),
            "lesson run --json": silent([*lesson, "--json"], place),
            "bash, on a terminal": lambda: _on_terminal(["bash", "-c", SCRIPT], place),
            "lesson run, on a terminal": lambda: _on_terminal(lesson, place),
        }
        return f"a step that prints {LINES:,} lines", in_turns(ways, turns)


def _on_terminal(command: list[str], folder: Path) -> None:
    """Run a command on a terminal whose text is read and dropped."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvp(command[0], command)
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    os.close(terminal)
    if os.waitpid(process, 0)[1]:
        raise SystemExit(f"{' '.join(command)} failed")
