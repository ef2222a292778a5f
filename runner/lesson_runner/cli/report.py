"""``lesson report``: a run, told again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WorkspaceOption, expand, stdout_for_json
from lesson_runner.cli.output import say
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.plugins import Plugins

BY_NAME = {".html": "html", ".htm": "html", ".md": "markdown", ".xml": "junit", ".json": "json"}
"""What a file is by the end of its name, if ``--format`` does not say."""


def report(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run's id, its folder, its record.json, or latest.")
    ] = "latest",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="html, markdown, junit, ctrf or json; without it, by the file's name, or else markdown.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of printing.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a report on a run: its results, curves and texts, as a page or for another tool."""
    from lesson_runner.report.runs import gather, render
    from lesson_runner.report.runs.evidence import unread
    from lesson_runner.resources import write_output
    from lesson_runner.run.find import find_run
    from lesson_runner.run.stored import plain_sections, read_run

    form = _form(format_, output)
    folder = find_run(run, expand(workspace) / "runs")
    record = read_run(folder)
    plugins: Plugins = context.obj
    with stdout_for_json():  # what a plugin prints belongs to no report
        sections = plain_sections([*plugins.report_sections(record, folder), *unread(record, folder)])
        text = render(gather(record, folder, sections), form)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        write_output(output, text)
    except OSError as error:
        reason = error.strerror or error
        raise LessonError(f"{output}: cannot be written: {reason}", fix="name a file with -o") from None
    say(f"{output}: {form}, {len(text.encode()):,} bytes")


def _form(form: str | None, output: Path | None) -> str:
    """Return the format that was asked for, in whichever way."""
    from lesson_runner.report.runs import FORMATS

    if form is None:
        if output is None:
            return "markdown"
        if output.suffix.lower() not in BY_NAME:
            raise LessonError(f"-o {output}: its name does not say what it shall be", fix="add --format")
        return BY_NAME[output.suffix.lower()]
    if form not in FORMATS:
        raise LessonError(f"--format {form}: expected one of {', '.join(FORMATS)}")
    return form
