"""``lesson matrix``: the certificate status of lessons by hardware, as a table, a page or a badge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.certification_status import (
    CertsOption,
    LessonsArgument,
    LessonsOption,
    PoliciesOption,
    as_json,
    collect_statuses,
)
from lesson_runner.cli.common import WorkspaceOption, make_console, workspace_folder
from lesson_runner.cli.output import say, write_answer
from lesson_runner.report.formats import MATRICES


def matrix(
    context: typer.Context,
    lessons: LessonsArgument = None,
    folder: LessonsOption = None,
    certs: CertsOption = None,
    policy: PoliciesOption = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{MATRICES.help}.")] = "text",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """
    Show the certificate status of lessons on each hardware.

    The status is one of: certified, text changed, stale, failed, never run, not supported.
    """
    from lesson_runner.report.matrix import Cell, Grid, render

    MATRICES.checked(format_)
    found = collect_statuses(
        context.obj, lessons or (), folder or (), certs or (), policy or (), workspace_folder(workspace)
    )
    statuses = found.all()
    grid = Grid(
        {known.lesson.id: known.lesson.title for known in found.lessons},
        tuple(found.targets),
        {(item.lesson, item.target): Cell(item.state, item.reason, item.since[:10]) for item in statuses},
        list(map(as_json, statuses)),
    )
    text = render(grid, format_, make_console())
    for line in found.warnings():
        say(f"warning: {line}", err=True)
    write_answer(text, output, format_)
