"""Running the commands by which ``lesson doctor --fix`` puts a machine right; none without a yes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.plugins.checks import Check, Finding, Machine


def check_can_prompt(*, fix: bool, yes: bool, json: bool) -> None:
    """
    Fail early if questions have to be asked and nobody can answer them.

    Raises:
        LessonError: nobody is at the terminal, or ``--yes`` is missing or has no use.
    """
    from lesson_runner.cli.common import is_interactive

    if yes and not fix:
        raise LessonError("--yes: there is nothing to say yes to", fix="--fix --yes runs the fixes")
    if not fix or yes:
        return
    if json:
        raise LessonError("--fix --json: JSON for a program has no questions in it", fix="add --yes")
    if not is_interactive(piped=True):
        message = "--fix: it asks before it runs anything, and there is no terminal to ask at"
        raise LessonError(message, fix="add --yes, after reading what `lesson doctor` says it would run")


def apply_fixes(
    results: Iterable[tuple[Check, Finding]], machine: Machine, *, yes: bool
) -> list[dict[str, Any]]:
    """
    Run the commands of what is not as it should be, each once and after a yes.

    Returns:
        For each command that ran: the ``id`` of its check, the ``command`` and its ``exit_code``.
    """
    from lesson_runner.cli.common import ask

    seen: set[tuple[str, ...]] = set()
    done: list[dict[str, Any]] = []
    for check, finding in results:
        if finding.status not in ("failed", "warning") or not finding.command or finding.command in seen:
            continue
        seen.add(finding.command)
        shown = shlex.join(finding.command)
        say("", f"{check.title}: {finding.found}", f"$ {shown}")
        if not yes and not ask("Run it?"):
            continue
        code = _run(finding.command, machine, alone=yes)
        say(f"exit code {code}")
        done.append({"id": check.id, "command": list(finding.command), "exit_code": code})
    return done


def _run(command: tuple[str, ...], machine: Machine, *, alone: bool) -> int:
    """Run a command without a shell; what it prints goes where our own output goes."""
    sys.stdout.flush()
    stdin = subprocess.DEVNULL if alone else None  # with --yes nobody is there to answer it
    try:
        return subprocess.run(command, env=dict(machine.environ), check=False, stdin=stdin).returncode
    except OSError as error:
        say(str(error))
        return 127
