"""The ``shell`` action: a block of the lesson, run in bash."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lesson_runner.document.transcripts import typed
from lesson_runner.execute.child import signal_name
from lesson_runner.execute.environment import command_environment, withheld
from lesson_runner.execute.family import RUN
from lesson_runner.execute.process import CommandResult
from lesson_runner.execute.shell import ShellState, run_block
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins import Action, Json, Outcome, RunContext, StepContext

BACKGROUND = "shell"
"""Where ``RunContext.store`` keeps the processes that steps left running."""
UNSTORED = "shell.lost"
"""Where it keeps the steps whose terminal could not be stored, with the reason."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "script": {
            "description": "Bash commands; behind prompts such as `$ `, only what is typed runs.",
            "type": "string",
        },
        "strict": {
            "description": "Stop at the first command that fails (`set -e -o pipefail`).",
            "type": "boolean",
        },
        "env": {
            "description": "Environment variables for this step only.",
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["script"],
    "additionalProperties": False,
}


def run_shell(params: Json, context: StepContext) -> Outcome:
    """Run ``script`` in the run's terminal."""
    block = context.evidence / "script.sh"
    block.write_text(typed(params["script"]).text + "\n", "utf-8")
    finished = run_in_terminal(block, context, extra=params.get("env"), strict=params.get("strict", True))
    return outcome_of(finished, context)


def run_in_terminal(
    block: Path, context: StepContext, *, extra: Mapping[str, str] | None = None, strict: bool = True
) -> CommandResult:
    """
    Run a script in the terminal of the run, with what the run lets it see and do.

    Raises:
        LessonError: an earlier step has left a terminal whose state could not be stored.
    """
    run = context.run
    lost = run.store.setdefault(UNSTORED, {})
    lost.pop(context.step.id, None)  # a step that is tried again starts where it started before
    for name, reason in lost.items():
        raise LessonError(
            f"the terminal that step '{name}' left could not be stored ({reason})",
            fix="remove the reason, then lesson resume",
        )
    finished = run_block(
        terminal(run),
        block,
        env=environment(run),
        extra=extra,
        strict=strict,
        on_line=context.show,
        deadline=context.deadline,
        redactor=run.redactor,
        sandbox=run.sandbox,
    )
    if finished.state_error:
        lost[context.step.id] = finished.state_error
    return finished


def terminal(run: RunContext) -> ShellState:
    """Return the terminal that the shell and Python steps of a run share."""
    return ShellState(run.folder / "shell", run.workspace.files.absolute())


def environment(run: RunContext) -> dict[str, str]:
    """Return the environment that the terminal of a run starts with."""
    # `lesson` and `python` in a lesson mean the ones that run it, also where no environment is activated.
    own = str(Path(sys.executable).parent)
    # Unbuffered, or a learner sees nothing of a Python program until it ends, and never if it is killed.
    return {
        "PYTHONUNBUFFERED": "1",
        **command_environment(os.environ, run.passed),
        RUN: str(run.folder.absolute()),
        "LESSON_WORKSPACE": str(run.workspace.root.absolute()),
        "PATH": os.pathsep.join((own, os.environ.get("PATH", os.defpath))),
    }


def outcome_of(finished: CommandResult, context: StepContext) -> Outcome:
    """Return what a command that has ended means for its step."""
    if finished.still_running:
        context.run.store.setdefault(BACKGROUND, []).append((finished.family, finished.still_running))
    message = ""
    if finished.timed_out:
        limit = (
            "the time it had"
            if context.step.timeout is None
            else f"its timeout of {context.step.timeout:g} s"
        )
        message = f"step '{context.step.id}' took longer than {limit}"
        if finished.killed:
            message += f"; killed: {', '.join(map(str, finished.killed))}"
        if finished.still_running:
            message += f"; could not be killed: {', '.join(map(str, finished.still_running))}"
    elif finished.exit_code and not _expects_exit_code(context):
        _show_restrictions(context)
        name = signal_name(finished.exit_code - 128)
        if name == "SIGKILL":
            name += ": did the machine run out of memory?"
        message = f"exit code {finished.exit_code}" + (f" ({name})" if name else "")
        last = next((line for line in reversed(finished.output.split("\n")) if line.strip()), "")
        if last:
            message += f": {last.strip()[:200]}"
    status: Literal["passed", "failed", "error"] = "failed" if message else "passed"
    if finished.state_error:
        status = "error"
        message = f"{message}; " if message and finished.exit_code != 1 else ""
        message += f"the state of its terminal cannot be stored: {finished.state_error}"
    return Outcome(
        status=status,
        message=message,
        output=finished.output,
        exit_code=finished.exit_code,
    )


def _show_restrictions(context: StepContext) -> None:
    """Say what was kept from a step that failed; no part of its output, which is judged."""
    run = context.run
    if names := withheld(os.environ, run.passed):
        context.show(f"[not given to this step: {', '.join(names)}; --env NAME passes one on]")
    if run.sandbox is not None:
        network = "" if run.sandbox.network else " without network, which --allow network gives it"
        context.show(f"[it ran in a sandbox{network}; it could write only below {run.workspace.files}]")


def clean_up(run: RunContext) -> None:
    """End the processes that steps of a run have left in the background, and empty its sandbox."""
    stop_background(run)
    if run.sandbox is not None:
        shutil.rmtree(terminal(run).sandbox, ignore_errors=True)


def stop_background(run: RunContext) -> None:
    """End the processes that steps of a run have left in the background."""
    for family, left in run.store.pop(BACKGROUND, []):
        # One that is still there proves that the family's number has not gone to a stranger.
        if family.members().intersection(left):
            family.stop(grace=2.0)


def _expects_exit_code(context: StepContext) -> bool:
    """Whether the step says which exit code it wants; then any is fine here."""
    return any(expectation.matcher == "exit" for expectation in context.step.expect)


def _command(script: str) -> str:
    """Return what runs, as one would type it: only the commands of a block that shows a terminal."""
    read = typed(script)
    return "\n".join(filter(str.strip, read.text.split("\n"))) if read.transcript else script


SHELL = Action(
    "shell",
    "Run a block of shell commands in bash",
    run_shell,
    schema=SCHEMA,
    defaults={"strict": True, "env": {}},
    permissions=frozenset({"shell"}),
    self_judging=True,
    command=lambda params: _command(str(params["script"])),
)
