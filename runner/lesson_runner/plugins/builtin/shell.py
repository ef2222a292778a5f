"""The ``shell`` action: run a block in bash."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lesson_runner.document.statements import Statement
from lesson_runner.document.transcripts import typed
from lesson_runner.execute.child import signal_name
from lesson_runner.execute.environment import command_environment, withheld
from lesson_runner.execute.evaluation import CommandResult, by_pid
from lesson_runner.execute.family import RUN
from lesson_runner.execute.needs import PATIENCE, Surroundings
from lesson_runner.execute.terminal import Terminal
from lesson_runner.execute.typist import Answer, Person, Typist
from lesson_runner.files.evidence import EVIDENCE
from lesson_runner.model.errors import LessonError, UnmetNeedError
from lesson_runner.plugins import Action, Json, Outcome, RunContext, StepContext

TERMINAL = "shell"
"""The key in ``RunContext.store`` of the run's terminal."""
LINKED = "shell.linked"
"""The key of what the run's own home folder shows of the user's, until the user has been told."""
UNSTORED = "shell.lost"
"""The key of the steps after which the terminal's state could not be saved, with the reason."""
ANSWERS = "shell.needs"
"""The key of what was found about hosts, docker and sudo."""

ANSWERED_WITHIN = 300.0
"""Seconds after which a block with answers is ended if its step has no timeout."""
MOST_QUOTED = 200
"""Characters of a command's last line that a message repeats."""
_ASKS = re.compile(r"^\s*(?:IFS=\S*\s+)?(?:read|select|passwd|su|sudo|ssh)\b")
_UNANSWERED = re.compile(
    r"EOFError|EOF when reading|/dev/tty|a (?:terminal|password) is required|[Nn]ot a (?:tty|terminal)"
    r"|[Nn]o tty present|stdin is not"
)
"""What programs say if they want to ask."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "script": {
            "description": "Bash commands; after prompts such as `$ `, only the typed text runs.",
            "type": "string",
            "x-block": "commands",
        },
        "strict": {
            "description": "Stop at the first command that fails (`set -e -o pipefail`). Bash does not count"
            " `a` in `a && b` before another command, nor `$(a)` in `export X=$(a)`.",
            "type": "boolean",
        },
        "env": {
            "description": "Environment variables for this step only.",
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {"type": "string"},
        },
        "answers": {
            "description": "What to type when the block asks: `ask`, a pattern, and `answer`, a line.",
            "$ref": "step.schema.json#/$defs/answers",
        },
        "person": {
            "description": "The person at the terminal answers; the step is skipped where there is none.",
            "type": "boolean",
        },
    },
    "required": ["script"],
    "additionalProperties": False,
}


def run_shell(params: Json, context: StepContext) -> Outcome:
    """
    Run ``script`` in the run's terminal.

    Raises:
        UnmetNeedError: a person has to answer, and there is none.
    """
    script = typed(params["script"]).text
    (context.evidence / "script.sh").write_text(script + "\n", "utf-8")
    options: dict[str, Any] = {
        "extra": params.get("env"),
        "strict": params.get("strict", True),
        "line": block_line(context),
    }
    answers = [Answer(item["ask"], item["answer"]) for item in params.get("answers", ())]
    if answers:
        return _with_answers(script, context, answers, options)
    if params.get("person"):
        return _with_person(script, context, options)
    return run_in_terminal(script, context, **options)


def _with_answers(
    script: str, context: StepContext, answers: Sequence[Answer], options: Mapping[str, Any]
) -> Outcome:
    """Run a block at a terminal device, and type the answers to its questions."""
    limit = time.monotonic() + ANSWERED_WITHIN
    with contextlib.closing(Typist(answers)) as typist:
        deadline = limit if context.deadline is None else context.deadline
        finished = evaluate(script, context, typist=typist, deadline=deadline, **options)
        outcome = outcome_of(finished, context)
        if finished.timed_out and typist.asked:
            shown = f"it last showed {typist.asked[:MOST_QUOTED]!r}, and no answer fits"
            return dataclasses.replace(outcome, message=f"{outcome.message}: {shown}")
        if outcome.status == "passed" and typist.unasked is not None:
            message = f"it did not ask {typist.unasked!r}, for which there is an answer"
            return dataclasses.replace(outcome, status="failed", message=message)
        return outcome


def _with_person(script: str, context: StepContext, options: Mapping[str, Any]) -> Outcome:
    """Run a block at a terminal device; the person at this terminal types."""
    if context.run.ask is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UnmetNeedError("it waits for a person, and nobody is at this terminal")
    with contextlib.closing(Person()) as person:
        return run_in_terminal(script, context, typist=person, on_line=lambda _: None, **options)


def run_in_terminal(
    script: str,
    context: StepContext,
    *,
    failed: Callable[[str], Statement] | None = None,
    **options: Any,
) -> Outcome:
    """
    Run a script in the terminal of the run, and return the step's outcome.

    Args:
        failed: finds the statement that failed in the output; by default it is one of the script.
        options: as for :func:`evaluate`.

    Raises:
        LessonError: the terminal's state could not be saved after an earlier step.
    """
    finished = evaluate(script, context, **options)
    if failed is not None and finished.failed is not None:
        finished = dataclasses.replace(finished, failed=failed(finished.output))
    return outcome_of(finished, context)


def evaluate(script: str, context: StepContext, **options: Any) -> CommandResult:
    """
    Run a script in the terminal of the run.

    Args:
        options: as for :meth:`Terminal.run`; those that the step decides have a default.

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
    bash = terminal(run)
    if names := run.store.pop(LINKED, ()):
        context.show(f"[yours, not a copy: {', '.join(names)}; what a step changes there stays changed]")
    usual: dict[str, Any] = {
        "apart": any(expectation.matcher == "json" for expectation in context.step.expect),
        "on_line": context.show,
        "deadline": context.deadline,
        "redactor": run.redactor,
    }
    finished = bash.run(script, step=context.step.id, attempt=context.attempt, **{**usual, **options})
    if finished.state_error:
        lost[context.step.id] = finished.state_error
    return finished


def terminal(run: RunContext) -> Terminal:
    """Return the terminal that the shell and Python steps of a run share."""
    if TERMINAL not in run.store:
        env = environment(run)
        if run.own_home:
            env = _private(run, env)
        run.store[TERMINAL] = Terminal(
            run.home / "shell",
            run.workspace.files.absolute(),
            env,
            run.sandbox,
            readable=(run.folder.absolute() / EVIDENCE,),
            writable=(_own_home(run), _own_python(run)) if run.own_home else (),
            steps=run.steps if run.continues is not None and not run.resumed else (),
        )
    found: Terminal = run.store[TERMINAL]
    return found


def _private(run: RunContext, env: Mapping[str, str]) -> dict[str, str]:
    """Make the run's own home folder and Python, and return the environment that uses them."""
    from lesson_runner.execute.own_home import home_variables, make_home
    from lesson_runner.execute.own_python import make_python

    home, python = _own_home(run), _own_python(run)
    make_python(python, env["PATH"])
    texts = [
        step.params.get("script", step.block.text) for step in run.lesson.steps if step.block is not None
    ]
    texts += [f"> {step.params['path']}" for step in run.lesson.steps if step.uses == "file"]
    run.store[LINKED] = make_home(home, texts, run.sandbox)
    env = home_variables(home, env, run.passed, shared=run.sandbox is None and not run.fresh)
    return {**env, "PATH": f"{python / 'bin'}{os.pathsep}{env['PATH']}", "VIRTUAL_ENV": str(python)}


def _own_home(run: RunContext) -> Path:
    return run.home.absolute() / "home"


def _own_python(run: RunContext) -> Path:
    return run.home.absolute() / "python"


def surroundings(run: RunContext, step: str, undetected: Sequence[str]) -> Surroundings:
    """Return where a step is about to run; ``undetected`` says why plugins could not detect hardware."""

    def ask(script: str) -> str:
        return terminal(run).ask(script, step=step, deadline=time.monotonic() + PATIENCE)

    return Surroundings(
        ask,
        run.hardware,
        run.backend == "emulated",
        undetected,
        run.sandbox,
        withheld(os.environ, run.passed),
        run.store.setdefault(ANSWERS, {}),
    )


def exchange_folder(context: StepContext) -> Path:
    """Return the folder with the pipes ``out`` and ``err`` for the output of the block that runs."""
    return terminal(context.run).exchange


def block_line(context: StepContext) -> int:
    """Return the line of the lesson on which the step's block begins."""
    name = context.step.id
    blocks = (step.block for step in context.run.lesson.steps if step.id in (name, name.rpartition(".")[0]))
    block = next(filter(None, blocks), None)
    return block.location.line if block else context.step.location.line


def environment(run: RunContext) -> dict[str, str]:
    """Return the initial environment of the terminal of a run."""
    # Unbuffered: otherwise output of a Python program appears only when it ends, or never if it is killed.
    return {
        "PYTHONUNBUFFERED": "1",
        **command_environment(os.environ, run.passed),
        RUN: str(run.folder.absolute()),
        # What is typed in a step works in this run's files, and neither sees nor changes other runs.
        "LESSON_WORKSPACE": str(run.home.absolute()),
        "LESSON_FILES": str(run.workspace.files.absolute()),
        "PATH": search_path(os.environ),
    }


def search_path(environ: Mapping[str, str]) -> str:
    """
    Return the ``PATH`` of commands: the user's, and the folder of the Python that runs the lesson.

    That folder comes first, so that ``lesson`` and ``python`` are those that run the lesson; but last if the
    user has activated an environment, as in the user's terminal.
    """
    own, path = str(Path(sys.executable).parent), environ.get("PATH", os.defpath)
    active = [environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name)]
    programs = [os.path.join(folder, "bin") for folder in active]  # noqa: PTH118 - compared as text
    if own not in programs and any(folder in path.split(os.pathsep) for folder in programs):
        return os.pathsep.join((path, own))
    return os.pathsep.join((own, path))


def outcome_of(finished: CommandResult, context: StepContext) -> Outcome:
    """Return the outcome of a step from the result of its block."""
    message = ""
    if finished.timed_out:
        limit = (
            "its time limit" if context.step.timeout is None else f"its timeout of {context.step.timeout:g} s"
        )
        message = f"step '{context.step.id}' took longer than {limit}"
        if finished.killed:
            message += f"; killed: {', '.join(map(str, finished.killed))}"
        left = set(finished.killed).intersection(finished.still_running)
        if left:
            message += f"; could not be killed: {', '.join(map(str, by_pid(left)))}"
    elif finished.exit_code and not _expects_exit_code(context):
        _show_restrictions(context)
        message = _failure(finished)
    elif finished.not_evaluated and not _expects_exit_code(context):
        first = finished.not_evaluated[0]
        message = (
            f"line {first.line}: {first.shown}: not reached, because the block ended its shell before it"
        )
    status: Literal["passed", "failed", "error"] = "failed" if message else "passed"
    if finished.state_error:
        status = "error"
        message = f"{message}; " if message else ""
        message += f"the state of the terminal cannot be saved: {finished.state_error}"
    return Outcome(
        status=status,
        message=message,
        output=finished.output,
        exit_code=finished.exit_code,
        stdout=finished.stdout,
        gaps=finished.gaps,
    )


def _failure(finished: CommandResult) -> str:
    """Describe why a block failed: the command, its line in the lesson, its status, and what it said last."""
    name = signal_name(finished.exit_code - 128)
    if name == "SIGKILL":
        name += ": did the machine run out of memory?"
    message = f"exit code {finished.exit_code}" + (f" ({name})" if name else "")
    if finished.failed is not None:
        message = f"line {finished.failed.line}: {finished.failed.shown}: {message}"
    if last := finished.last_words.strip():
        message += f": {last[:MOST_QUOTED]}"
    if finished.failed is not None and (
        _ASKS.search(finished.failed.text) or _UNANSWERED.search(finished.output)
    ):
        message += " (it asks, and nobody can answer: standard input is empty)"
    return message


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
    """Close the terminal of a run, which ends its background processes, and remove the sandbox's files."""
    terminal: Terminal | None = run.store.pop(TERMINAL, None)
    if terminal is not None:
        terminal.close()
        if run.sandbox is not None:
            shutil.rmtree(terminal.sandbox_files, ignore_errors=True)


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
