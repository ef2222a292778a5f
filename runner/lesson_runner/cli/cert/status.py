"""``lesson cert status``: show the certificate status of lessons, with the reasons."""

from __future__ import annotations

import typer

from lesson_runner.cli.certification_status import (
    CertsOption,
    LessonsArgument,
    LessonsOption,
    PoliciesOption,
    as_json,
    collect_statuses,
)
from lesson_runner.cli.common import JsonOption, WorkspaceOption, make_console, print_json, workspace_folder


def status(
    context: typer.Context,
    lessons: LessonsArgument = None,
    folder: LessonsOption = None,
    certs: CertsOption = None,
    policy: PoliciesOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """
    Show the certificate status of lessons, with the reasons.

    Hardware that a lesson does not support is left out.
    """
    from rich.text import Text

    from lesson_runner.report.matrix import STYLES
    from lesson_runner.report.tables import PlainTable

    place = workspace_folder(workspace)
    found = collect_statuses(context.obj, lessons or (), folder or (), certs or (), policy or (), place)
    rows = [item for item in found.all() if item.state != "not supported"]
    if json:
        refused = [{"file": str(path), "why": why} for path, why in sorted(found.index.refused.items())]
        print_json({"standings": [as_json(item) for item in rows], "refused": refused})
        return
    console = make_console()
    table = PlainTable("lesson", "hardware", "status", "since", "reason")
    for item in rows:
        state = Text(f"{STYLES[item.state].sign} {item.state}", STYLES[item.state].color)
        table.add(item.lesson, item.target, state, item.since[:10], item.reason)
    console.print(table)
    for line in found.warnings():
        console.print(Text(line, "yellow"))
