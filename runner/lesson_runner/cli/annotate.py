"""``lesson annotate``: write directives for the steps that were recognised in a lesson."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    LessonArgument,
    OverlayOption,
    make_console,
    open_lesson,
    open_valid_lesson,
)
from lesson_runner.model.errors import InvalidLessonError, LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Lesson
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.run.annotate import Annotated as Made


def annotate(
    context: typer.Context,
    lesson: LessonArgument,
    write: Annotated[
        bool, typer.Option("--write", help="Change the file. Without it, only the diff is shown.")
    ] = False,
    sidecar: Annotated[
        bool,
        typer.Option(
            "--sidecar", help="Write NAME.steps.yaml beside the lesson, and leave the lesson as it is."
        ),
    ] = False,
    overlay: OverlayOption = None,
) -> None:
    """
    Add directives for recognised steps: show a diff, or write it.

    The steps are those that 'lesson plan' recognises in a lesson without directives. If the lesson has a
    sidecar, --sidecar brings it up to date with the lesson.
    """
    from rich.text import Text

    from lesson_runner.files.plain import rewrite, write_atomically

    if overlay is not None and not sidecar:
        raise LessonError("--overlay is for sidecars", fix="add --sidecar")
    plugins: Plugins = context.obj
    console = make_console()
    path, made, what = _sidecar(lesson, plugins, overlay) if sidecar else _comments(lesson, plugins)
    if made is None or made.before == made.after:
        console.print(f"{path} {what}: nothing to do")
        return
    if not write:
        old, new = made.before.splitlines(), made.after.splitlines()
        for row in difflib.unified_diff(old, new, str(path), f"{path} (annotated)", lineterm=""):
            style = "green" if row.startswith("+") else "dim"
            console.print(Text(row, style))
        options = [*(["--sidecar"] if sidecar else []), *(["--overlay", str(overlay)] if overlay else [])]
        again = shlex.join(["lesson", "annotate", lesson, *options, "--write"])
        console.print(f"{what}; nothing was written. To write: {again}")
        return
    try:
        if not made.before:
            write_atomically(path, made.after)
        elif _now(path, sidecar=sidecar) != made.before:
            raise LessonError(
                f"{path}: was changed meanwhile, so it is not written", fix="run the command again"
            )
        else:
            rewrite(path, made.after.encode("utf-8"))
    except OSError as error:
        raise LessonError(f"{path}: cannot be written: {error.strerror or error}") from None
    console.print(f"{path}: wrote directives for {what}")


def _now(path: Path, *, sidecar: bool) -> str:
    """Return what a file holds now, as the command has read it before."""
    from lesson_runner.document.sidecar import read_sidecar

    return read_sidecar(path).text if sidecar else path.read_bytes().decode("utf-8", "replace")


def _comments(name: str, plugins: Plugins) -> tuple[Path, Made | None, str]:
    """Return the file to write, its texts, and what is written or why nothing is."""
    from lesson_runner.run.annotate import annotate as annotated
    from lesson_runner.run.resolve_blocks import known_profiles

    document, _, _ = open_valid_lesson(name, plugins)
    if document.has_directives:
        return document.path, None, "already has directives"
    made = annotated(document, plugins, known_profiles(document, plugins))
    return document.path, made, _counted(made.steps, "step")


def _sidecar(name: str, plugins: Plugins, overlay: Path | None) -> tuple[Path, Made | None, str]:
    """Return the same as :func:`_comments`, for a lesson's sidecar."""
    from lesson_runner.document.sidecar import sidecar_path
    from lesson_runner.plugins.catalog import find
    from lesson_runner.run.resolve_blocks import known_profiles
    from lesson_runner.run.sidecar_text import make_sidecar, updated_sidecar

    target = sidecar_path(find(name, plugins)[0], overlay)
    exists = target.exists()
    document, problems, _ = open_lesson(name, plugins, overlay if exists else None)
    if exists:
        made = updated_sidecar(document)
        return target, made, _counted(made.steps, "changed block") if made.steps else "is up to date"
    if any(item.severity == "error" for item in problems):
        raise InvalidLessonError(problems)
    if document.has_directives:
        return _of(document), None, "already has directives"
    made = make_sidecar(document, plugins, known_profiles(document, plugins))
    return target, made, _counted(made.steps, "step")


def _of(document: Lesson) -> Path:
    """Return the file that has a lesson's directives."""
    return document.sidecar.path if document.sidecar else document.path


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
