"""``lesson survey``: what each lesson of a folder is, what can run here, and what is missing for the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    OverlayOption,
    WorkspaceOption,
    make_console,
    stdout_to_stderr,
    workspace_folder,
)
from lesson_runner.cli.output import say, write_answer
from lesson_runner.model.errors import LessonError
from lesson_runner.report.formats import SURVEYS

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def survey(
    context: typer.Context,
    lessons: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Ids, files or folders. Default: all lessons of plugins."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{SURVEYS.help}. Default: by the suffix of --output, else text.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    overlay: OverlayOption = None,
    workspace: WorkspaceOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Number of processes. Default: as many as save time."
        ),
    ] = None,
) -> None:
    """
    Show what lessons are, what can run here, and what is missing.

    Nothing runs. Of each lesson it shows the blocks by role, the steps that would run now, the last run in
    the workspace, and the certificates.
    """
    from lesson_runner.cli.survey_lessons import survey_lessons
    from lesson_runner.report.survey import render

    if json and format_ not in (None, "json"):
        raise LessonError(f"--json and --format {format_} differ", fix="leave one of them out")
    form = "json" if json else SURVEYS.checked(format_) if format_ else _by_name(output)
    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints is not part of the survey
        found, warnings = survey_lessons(lessons or (), plugins, workspace_folder(workspace), overlay, jobs)
    for line in warnings:
        say(f"warning: {line}", err=True)
    text = render(found, form, make_console())
    write_answer(text, output, form)


def _by_name(output: Path | None) -> str:
    """Return the format that the name of the output file implies."""
    return "text" if output is None else SURVEYS.for_file(output)
