"""How long the command line makes a person wait, at its start and between the steps of a run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.turns import Timing, in_turns
from lesson_runner.plugins import Action, Json, Outcome, StepContext, hookimpl
from lesson_runner.plugins.installed import installed_points
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, run_lesson

LESSON = (sys.executable, "-m", "lesson_runner")
STEPS = 200
STEP = "<!-- step\nid: s{number}\n{uses}expect: [{{contains: done}}]\n-->\n```{language}\n{code}\n```\n"


def silent(command: Sequence[str], folder: Path | None = None) -> Callable[[], object]:
    """Return a call that runs a command, discards its output, and raises if it fails."""
    return lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True)


def start(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """Measure the shortest commands, and importing the libraries that any such program imports."""
    del folder
    ways: Mapping[str, Callable[[], object]] = {
        "import typer, pluggy": silent([sys.executable, "-c", "import typer, pluggy"]),
        "lesson --help": silent([*LESSON, "--help"]),
        "lesson list": silent([*LESSON, "list"]),
    }
    return "each in a separate process", in_turns(ways, turns)


def lesson_of(count: int, language: str, code: str, uses: str = "") -> str:
    """Return a lesson with this many equal steps."""
    uses = uses and f"uses: {uses}\n"
    steps = (STEP.format(number=number, uses=uses, language=language, code=code) for number in range(count))
    return lesson_text("\n".join(steps))


class idle:  # noqa: N801  # stands for a plugin's module
    """An action that does nothing, so that only the runner is measured."""

    @staticmethod
    @hookimpl
    def lesson_actions() -> list[Action]:
        """Return it."""

        def act(params: Json, context: StepContext) -> Outcome:
            del params
            context.say("done")
            return Outcome()

        return [Action("idle.nothing", "Nothing", act, self_judging=True)]


def steps(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """Measure what the runner adds to 200 steps, compared with a shell loop, and steps without work."""
    del folder
    plugins = Plugins(points=[*installed_points(), ModuleEntryPoint(idle)])
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / "shell.md").write_text(lesson_of(STEPS, "bash", "echo done"))
        loop = f"for step in $(seq {STEPS}); do bash -c 'echo done'; done"

        def nothing() -> object:
            return run_lesson(lesson_of(STEPS, "text", "nothing", "idle.nothing"), place, plugins=plugins)

        ways: Mapping[str, Callable[[], object]] = {
            "bash, a process a block": silent(["bash", "-c", loop]),
            "an action that does nothing": nothing,
            "lesson run, shell blocks": silent([*LESSON, "run", "shell.md", "--allow", "shell"], place),
        }
        return f"{STEPS} steps, planned, run, checked and recorded", in_turns(ways, turns)
