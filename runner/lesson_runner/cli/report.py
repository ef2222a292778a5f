"""``lesson report``: write a report on a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WorkspaceOption, stdout_to_stderr, workspace_folder
from lesson_runner.cli.output import write_answer
from lesson_runner.report.formats import REPORTS

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins

DEFAULT = "markdown"
"""The format if neither ``--format`` nor the file name determines one."""


def report(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run by its name, its folder, its record.json, or latest."),
    ] = "latest",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{REPORTS.help}. Default: by the suffix of --output, else {DEFAULT}.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """
    Write a report on a run, as a page or for another tool.

    It contains the results of every step, the curves and the texts.
    """
    from lesson_runner.execute.environment import redactor_for
    from lesson_runner.report.runs import read_report, render
    from lesson_runner.report.runs.evidence import unread
    from lesson_runner.run.find import find_run
    from lesson_runner.run.stored import read_run, without_secrets

    form = REPORTS.checked(format_) if format_ is not None else _by_name(output)
    folder = find_run(run, workspace_folder(workspace) / "runs")
    record = read_run(folder)
    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints is not part of the report
        sections = [*plugins.report_sections(record, folder), *unread(record, folder)]
        text = render(read_report(record, folder, without_secrets(sections, redactor_for())), form)
    write_answer(text, output, form)


def _by_name(output: Path | None) -> str:
    """Return the format that the name of the output file implies."""
    return DEFAULT if output is None else REPORTS.for_file(output)
