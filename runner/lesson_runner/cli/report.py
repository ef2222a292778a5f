"""``lesson report``: a report on a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WorkspaceOption, stdout_to_stderr, workspace_folder
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError
from lesson_runner.report.formats import REPORTS

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins

DEFAULT = "markdown"
"""The format if neither ``--format`` nor a file's name says which."""


def report(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run's id, its folder, its record.json, or latest.")
    ] = "latest",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"{REPORTS.help}. Without it, the suffix of the file decides, or else {DEFAULT}.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of printing.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a report on a run: its results, curves and texts, as a page or for another tool."""
    from lesson_runner.execute.environment import redactor_for
    from lesson_runner.files.plain import write_output
    from lesson_runner.report.runs import read_report, render
    from lesson_runner.report.runs.evidence import unread
    from lesson_runner.run.find import find_run
    from lesson_runner.run.stored import read_run, without_secrets

    form = REPORTS.checked(format_) if format_ is not None else _by_name(output)
    folder = find_run(run, workspace_folder(workspace) / "runs")
    record = read_run(folder)
    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints belongs to no report
        sections = [*plugins.report_sections(record, folder), *unread(record, folder)]
        text = render(read_report(record, folder, without_secrets(sections, redactor_for())), form)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        write_output(output, text)
    except OSError as error:
        reason = error.strerror or error
        raise LessonError(f"{output}: cannot be written: {reason}", fix="name a file with -o") from None
    say(f"{output}: {form}, {len(text.encode()):,} bytes")


def _by_name(output: Path | None) -> str:
    """Return the format that the name of the output file stands for."""
    return DEFAULT if output is None else REPORTS.for_file(output)
