"""``lesson cert status``: where lessons stand, and why."""

from __future__ import annotations

import typer

from lesson_runner.cli.certification_status import (
    CertsOption,
    LessonsArgument,
    LessonsOption,
    PoliciesOption,
    as_json,
    collect_status,
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
    """Show on which hardware lessons are certified, and why not elsewhere."""
    from rich.text import Text

    from lesson_runner.report.matrix import STYLES
    from lesson_runner.report.tables import PlainTable

    place = workspace_folder(workspace)
    found = collect_status(context.obj, lessons or (), folder or (), certs or (), policy or (), place)
    rows = [item for item in found.all() if item.state != "not supported"]
    if json:
        refused = [{"file": str(path), "why": why} for path, why in sorted(found.holdings.refused.items())]
        print_json({"standings": [as_json(item) for item in rows], "refused": refused})
        return
    console = make_console()
    table = PlainTable("lesson", "on", "state", "since", "why")
    for item in rows:
        state = Text(f"{STYLES[item.state].sign} {item.state}", STYLES[item.state].color)
        table.add(item.lesson, item.target, state, item.since[:10], item.reason)
    console.print(table)
    for line in found.warnings():
        console.print(Text(line, "yellow"))
