"""``lesson annotate``: add directives to a lesson for the steps that were recognised in it."""

from __future__ import annotations

import difflib
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import LessonArgument, make_console, open_valid_lesson
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def annotate(
    context: typer.Context,
    lesson: LessonArgument,
    write: Annotated[
        bool, typer.Option("--write", help="Change the file. Without it, only the diff is shown.")
    ] = False,
) -> None:
    """
    Add directives for recognised steps: show a diff, or write it.

    The steps are those that 'lesson plan' recognises in a lesson without directives.
    """
    from rich.text import Text

    from lesson_runner.files.plain import rewrite
    from lesson_runner.run.annotate import annotate as annotated
    from lesson_runner.run.resolve_blocks import known_profiles

    plugins: Plugins = context.obj
    document, _, _ = open_valid_lesson(lesson, plugins)
    console = make_console()
    path = document.path
    if document.has_directives:
        console.print(f"{path} already has directives: nothing to do")
        return
    made = annotated(document, plugins, known_profiles(document, plugins))
    steps = f"{made.steps} step{'' if made.steps == 1 else 's'}"
    if not write:
        old, new = made.before.splitlines(), made.after.splitlines()
        for row in difflib.unified_diff(old, new, str(path), f"{path} (annotated)", lineterm=""):
            style = "green" if row.startswith("+") else "dim"
            console.print(Text(row, style))
        hint = f"{steps}; nothing was written. To write them: lesson annotate {shlex.quote(lesson)} --write"
        console.print(hint)
        return
    try:
        if path.read_bytes() != made.before.encode("utf-8"):
            raise LessonError(
                f"{path}: was changed meanwhile, so it is not written", fix="run the command again"
            )
        rewrite(path, made.after.encode("utf-8"))
    except OSError as error:
        raise LessonError(f"{path}: cannot be written: {error.strerror or error}") from None
    console.print(f"{path}: added directives for {steps}")
