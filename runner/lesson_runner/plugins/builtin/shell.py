"""The ``shell`` action: run a block in bash."""

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
"""The key in ``RunContext.store`` of the processes that steps left running."""
UNSTORED = "shell.lost"
"""The key of the steps after which the terminal's state could not be saved, with the reason."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "script": {
            "description": "Bash commands; after prompts such as `$ `, only the typed text runs.",
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
    Run a script in the terminal of the run, with the run's environment, sandbox and redaction.

    Raises:
        LessonError: the terminal's state could not be saved after an earlier step.
    """
    run = context.run
    lost = run.store.setdefault(UNSTORED, {})
    lost.pop(context.step.id, None)  # a retry starts from the same state as before
    for name, reason in lost.items():
        raise LessonError(
            f"the state of the terminal after step '{name}' could not be saved ({reason})",
            fix="fix the cause, then run lesson resume",
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
    """Return the state of the terminal that the shell and Python steps of a run share."""
    return ShellState(run.folder / "shell", run.workspace.files.absolute())


def environment(run: RunContext) -> dict[str, str]:
    """Return the initial environment of the terminal of a run."""
    # `lesson` and `python` in a lesson are the ones that run it, even if no virtual environment is active.
    own = str(Path(sys.executable).parent)
    # Unbuffered: otherwise output of a Python program appears only when it ends, or never if it is killed.
    return {
        "PYTHONUNBUFFERED": "1",
        **command_environment(os.environ, run.passed),
        RUN: str(run.folder.absolute()),
        "LESSON_WORKSPACE": str(run.workspace.root.absolute()),
        "PATH": os.pathsep.join((own, os.environ.get("PATH", os.defpath))),
    }


def outcome_of(finished: CommandResult, context: StepContext) -> Outcome:
    """Return the outcome of a step from the result of its command."""
    if finished.still_running:
        context.run.store.setdefault(BACKGROUND, []).append((finished.family, finished.still_running))
    message = ""
    if finished.timed_out:
        limit = (
            "its time limit" if context.step.timeout is None else f"its timeout of {context.step.timeout:g} s"
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
        message += f"the state of the terminal cannot be saved: {finished.state_error}"
    return Outcome(
        status=status,
        message=message,
        output=finished.output,
        exit_code=finished.exit_code,
    )


def _show_restrictions(context: StepContext) -> None:
    """Show the restrictions of a failed step; they are not part of its output, which is judged."""
    run = context.run
    if names := withheld(os.environ, run.passed):
        context.show(f"[withheld from this step: {', '.join(names)}; to pass one on, use --env NAME]")
    if run.sandbox is not None:
        network = "" if run.sandbox.network else " without network (--allow network enables it)"
        context.show(
            f"[this step ran in a sandbox{network} and could write only below {run.workspace.files}]"
        )


def clean_up(run: RunContext) -> None:
    """Stop the background processes of a run, and remove the files of its sandbox."""
    stop_background(run)
    if run.sandbox is not None:
        shutil.rmtree(terminal(run).sandbox, ignore_errors=True)


def stop_background(run: RunContext) -> None:
    """Stop the processes that steps of a run left in the background."""
    for family, left in run.store.pop(BACKGROUND, []):
        # A known process that still runs proves that the system has not reused the family's process number.
        if family.members().intersection(left):
            family.stop(grace=2.0)


def _expects_exit_code(context: StepContext) -> bool:
    """Return whether the step expects an exit code; then any exit code is fine here."""
    return any(expectation.matcher == "exit" for expectation in context.step.expect)


def _command(script: str) -> str:
    """Return the commands of a script as typed; from a transcript, without prompts and output."""
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
    metrics=(),
    command=lambda params: _command(str(params["script"])),
)
