"""Shell blocks that no shell can parse, and placeholders in blocks that steps run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Literal

from lesson_runner.document.bash import PLACEHOLDER, parse, without_placeholders
from lesson_runner.document.commands import is_command
from lesson_runner.document.shell_errors import Problem, first_problem
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.blocks import is_elided
from lesson_runner.validate.rules.code.shell_tree import LITERAL, Shell, above, shells
from lesson_runner.validate.rules.markup import IN_SHELL

ENOUGH = 30
"""Upper limit for blocks of a lesson that bash checks, because each check starts a process."""
FEW = 50
"""Upper limit for placeholders of a block that are checked."""
_SYNOPSIS = re.compile(r"<[A-Za-z][^<>]*>|\[-")
"""A synopsis of a command, such as ``<file> [--option]``, which need not parse."""
_ENDS_EARLY = re.compile("unexpected EOF|unexpected end of file")
"""In a transcript, the rest of the command may follow without a prompt and look like output."""


def check_syntax(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield shell blocks that do not parse."""
    checked = 0
    for shell in shells(lesson):
        if not shell.judged or checked >= ENOUGH:
            continue
        problem = first_problem(shell)
        if problem is None or (not shell.code.run and _only_shows(shell, problem)):
            continue
        # The grammar does not cover all of bash, so bash has to agree.
        checked += 1
        must_end = shell.code.run and (shell.typed.transcript or problem.hides)
        reason = _bash_error(shell.source, must_end=must_end)
        if reason == "" or (
            reason and shell.typed.transcript and not shell.code.run and _ENDS_EARLY.search(reason)
        ):
            continue
        severity: Literal["error", "warning"] = "warning" if reason is None else "error"
        place = shell.place(problem.row, problem.column)
        yield Diagnostic("shell-syntax", severity, mask(problem.message), place, problem.fix)


def check_placeholders(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield the first placeholder of each step's block that the shell would take for redirections."""
    declared = {step.block: step.placeholders for step in lesson.steps}
    for shell in shells(lesson):
        if not shell.code.run or "<" not in shell.typed.text:
            continue
        places = [match.span() for match in islice(PLACEHOLDER.finditer(shell.typed.text), FEW)]
        filled_in = declared.get(shell.code.block, ())
        tree = parse(without_placeholders(shell.typed.text)) if places else None
        for start, end in places:
            if shell.typed.text[start:end] in filled_in:  # by --param
                continue
            if IN_SHELL.fullmatch(shell.typed.text, start, end):
                continue  # another rule reports markup
            if tree is None or above(tree, start, end, (*LITERAL, "ERROR")) is not None:
                continue
            row = shell.typed.text.count("\n", 0, start)
            column = start - (shell.typed.text.rfind("\n", 0, start) + 1)
            message = f"a step runs this block with the placeholder {shell.typed.text[start:end]} in it"
            fix = "write a value, or a variable that an earlier step sets; or add a 'skip' directive"
            yield Diagnostic("placeholder-in-step", "error", message, shell.place(row, column), fix)
            break


def _only_shows(shell: Shell, problem: Problem) -> bool:
    """Return whether a block that no step runs may be a fragment, or not consist of commands."""
    lines = shell.source.rstrip().split("\n")
    row = min(problem.row, len(lines) - 1)
    as_written = shell.code.block.text.split("\n")[row]
    if is_elided(lines[row]) or is_elided(lines[-1]) or _SYNOPSIS.search(as_written):
        return True
    if shell.typed.transcript and as_written.lstrip().startswith(">"):
        return True  # it may be another program's prompt
    return not is_command(lines, row)


def _bash_error(source: str, *, must_end: bool) -> str | None:
    """
    Return bash's syntax error for a script; empty if there is none, ``None`` if bash cannot be run.

    Args:
        must_end: whether a here-document that never ends is an error; bash only warns of it.
    """
    program = _bash()
    if program is None:
        return None
    try:
        # -n: parse without running anything.
        done = subprocess.run(
            [program, "--norc", "--noprofile", "-n"],
            input=f"{source}\n".encode("utf-8", "replace"),
            capture_output=True,
            timeout=5,
            env={"LC_ALL": "C"},
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    said = done.stderr.decode("utf-8", "replace")
    return (said or "syntax error") if done.returncode or (must_end and "here-document" in said) else ""


@cache
def _bash() -> str | None:
    return shutil.which("bash")


RULES = (
    Rule("shell-syntax", "error", "A shell block that no shell can parse.", check=check_syntax),
    Rule(
        "placeholder-in-step",
        "error",
        "A placeholder such as <your-token> in a block that a step runs.",
        check=check_placeholders,
    ),
)
