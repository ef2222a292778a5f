"""Run actions from the command line instead of from a lesson: options, workspace and output."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesson_ct4.flags import FLAGS, Command
from lesson_runner.model import Event, Lesson, Location, PlannedStep
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import RunContext, StepContext, Workspace, default_workspace
from lesson_runner.report.text import safe

HERE = Path("the command line")
OWN = [flag for flag in FLAGS if flag.name in ("workspace", "backend", "json")]
"""Options of the command itself; they have no effect in a lesson."""


def own_options(args: list[str]) -> tuple[dict[str, Any], list[str]]:
    """
    Return the command's own options, and the remaining arguments.

    Raises:
        LessonError: an option has no value, or an invalid one.
    """
    own: dict[str, Any] = {}
    rest: list[str] = []
    known = {f"--{flag.name}": flag for flag in OWN}
    index = 0
    while index < len(args):
        name, equals, text = args[index].partition("=")
        flag = known.get(name)
        index += 1
        if flag is None:
            rest.append(args[index - 1])
        elif flag.switch:
            own[flag.name] = True
        else:
            if not equals:
                if index == len(args):
                    raise LessonError(f"{name} needs a value")
                text = args[index]
                index += 1
            try:
                own[flag.name] = flag.value(text)
            except ValueError as error:
                raise LessonError(f"{name} is {text!r}: {error}") from None
    return own, rest


def context_for(
    command: Command, params: dict[str, Any], own: Mapping[str, Any], name: str = ""
) -> StepContext:
    """
    Return the context to run an action in, with an empty evidence folder in the workspace.

    Raises:
        LessonError: the workspace cannot be written.
    """
    workspace = workspace_for(own.get("workspace"))
    folder = workspace.root / "by-hand"
    lesson = Lesson(
        path=HERE, text="", frontmatter={}, positions={}, blocks=(), steps=(), skipped=(), digest=""
    )
    run = RunContext(lesson, "", own.get("backend", "auto"), workspace, folder)
    step = PlannedStep(command, command, Location(HERE, 1), f"ct4.{command}", params)
    evidence = folder / "evidence" / (name or command)
    try:
        workspace.inside(evidence)
        evidence.mkdir(parents=True, exist_ok=True)
        for path in evidence.iterdir():
            path.unlink()
    except OSError as error:
        raise LessonError(
            f"the workspace {workspace.root} cannot be used: {error.filename}: {error.strerror}",
            fix="use a writable folder: --workspace FOLDER",
        ) from None
    return StepContext(run, step, evidence, echo)


def workspace_for(given: str | None) -> Workspace:
    """
    Return the workspace: ``given``, or ``LESSON_WORKSPACE``, or the default.

    In a step of a run, it is the run's, and commands work in the run's files (``LESSON_FILES``).

    Raises:
        LessonError: the default workspace is a link or belongs to another user, or something in the workspace
            is a link.
    """
    named = given or os.environ.get("LESSON_WORKSPACE")
    work = os.environ.get("LESSON_FILES") if named and not given else None
    workspace = Workspace(expanded(named) if named else default_workspace(), Path(work) if work else None)
    workspace.check_links()
    return workspace


def expanded(path: str) -> Path:
    """Return a path with ``~`` expanded; unchanged if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def echo(event: Event) -> None:
    """Print the output of an action."""
    if event.kind == "output":
        sys.stdout.write(f"{safe(event.data['text'])}\n")
        sys.stdout.flush()
