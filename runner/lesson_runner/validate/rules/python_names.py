"""``python`` and ``pip`` of the system: the one is often missing, the other often refuses to install."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.code.shell_commands import Command, commands
from lesson_runner.validate.rules.code.shell_tree import Shell, shells

_PROVIDED = re.compile(
    r"\bactivate\b|\bvenv\b|virtualenv|virtual environment|\b(?:mini|micro)?(?:conda|mamba)\b|alias python"
    r"|python-is-python3|\bpyenv\b|\b(?:poetry|pipenv|nix|uv|pixi|hatch) (?:shell|develop|sync)"
    r"|^FROM .*python",
    re.IGNORECASE | re.MULTILINE,
)
"""Words of a document that lead its readers to an environment with ``python`` and ``pip``."""
_ANYWHERE = ("--break-system-packages", "--target", "-t", "--prefix", "--root", "--dry-run", "--python")
"""Options with which pip does not install for the system, or is told to."""


def check_python(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first ``python`` of each block above the first environment of the document."""
    end = _first_environment(lesson)
    for shell in shells(lesson):
        places = (_python(shell, command) for command in commands(shell)) if shell.judged else ()
        place = next(filter(None, places), None)
        if place is not None and place.line < end:
            message = "many machines have no 'python'; Ubuntu and Debian, for example, have only 'python3'"
            yield Diagnostic("bare-python", "warning", message, place, "write python3")


def check_pip(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield the first ``pip install`` of each block that is not for a virtual environment."""
    end = _first_environment(lesson)
    for shell in shells(lesson):
        for command in commands(shell) if shell.judged else ():
            by_root = "sudo" in shell.text(command.node).split()
            place = shell.place(*command.node.start_point)
            if _installs(command) and (by_root or place.line < end):
                message = "Ubuntu, Debian and Homebrew refuse to install packages for the system's Python"
                fix = "install into a virtual environment: python3 -m venv .venv; source .venv/bin/activate"
                yield Diagnostic(
                    "system-pip", "info", message, place, f"leave out sudo, and {fix}" if by_root else fix
                )
                break


def _first_environment(lesson: Lesson) -> float:
    """Return the line in which the document first speaks of an environment; infinity if it never does."""
    provided = _PROVIDED.search(lesson.text)
    return lesson.text.count("\n", 0, provided.start()) + 1 if provided else math.inf


def _python(shell: Shell, command: Command) -> Location | None:
    """Return the place of a command that is ``python`` without a folder."""
    if command.name != "python":
        return None
    offset = re.search(r"(?<![\w./-])python(?![\w.-])", shell.text(command.node))
    return None if offset is None else shell.place_of(command.node.start_byte + offset.start())


def _installs(command: Command) -> bool:
    """Return whether a command installs packages with pip."""
    texts = command.texts
    if command.name in ("python", "python3") and texts[:2] == ["-m", "pip"]:
        texts = texts[2:]
    elif command.name not in ("pip", "pip3"):
        return False
    options = {text.partition("=")[0] for text in texts}
    return "install" in texts[:3] and options.isdisjoint(_ANYWHERE)


RULES = (
    Rule(
        "bare-python",
        "warning",
        "A 'python' that many machines have only as 'python3'.",
        check=check_python,
    ),
    Rule("system-pip", "info", "Packages installed for the system's Python.", check=check_pip),
)
