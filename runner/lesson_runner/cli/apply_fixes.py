"""Run the commands of ``lesson doctor --fix``, each after the user agrees."""

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
    Fail early if prompting is impossible.

    Raises:
        LessonError: nobody is at the terminal and ``--yes`` is missing; or ``--yes`` is without ``--fix``.
    """
    from lesson_runner.cli.common import is_interactive

    if yes and not fix:
        raise LessonError("--yes has no effect without --fix", fix="give both to run the fixes: --fix --yes")
    if not fix or yes:
        return
    if json:
        raise LessonError("--fix cannot prompt when --json is given", fix="add --yes")
    if not is_interactive(piped=True):
        message = "--fix prompts before it runs a command, but there is no terminal"
        raise LessonError(message, fix="run `lesson doctor` to see the commands, then add --yes")


def apply_fixes(
    results: Iterable[tuple[Check, Finding]], machine: Machine, *, yes: bool
) -> list[dict[str, Any]]:
    """
    Run the fix of each check that failed or warned; each command once, after the user agrees.

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
        code = _run(finding.command, machine, unattended=yes)
        say(f"exit code {code}")
        done.append({"id": check.id, "command": list(finding.command), "exit_code": code})
    return done


def _run(command: tuple[str, ...], machine: Machine, *, unattended: bool) -> int:
    """Run a command without a shell, on our own output streams."""
    sys.stdout.flush()
    stdin = subprocess.DEVNULL if unattended else None  # with --yes nobody answers its questions
    try:
        return subprocess.run(command, env=dict(machine.environ), check=False, stdin=stdin).returncode
    except OSError as error:
        say(str(error))
        return 127
