"""``lesson runs``: what was run in a workspace."""

from __future__ import annotations

from typing import Any

import typer

from lesson_runner.cli.common import WORKSPACE, JsonOption, WorkspaceOption, expand, make_console, print_json
from lesson_runner.errors import LessonError


def runs(workspace: WorkspaceOption = WORKSPACE, json: JsonOption = False) -> None:
    """List the runs in a workspace, oldest first."""
    from rich.table import Table
    from rich.text import Text

    from lesson_runner.report.live import SIGNS
    from lesson_runner.report.text import duration, safe
    from lesson_runner.run import record

    found: list[dict[str, Any]] = []
    folder = expand(workspace) / "runs"
    for path in sorted(item for item in folder.glob("*") if item.is_dir()):
        entry: dict[str, Any] = {"run_id": path.name, "folder": str(path), "status": "unfinished"}
        try:
            data = record.read(path)
        except LessonError as error:
            entry["error"] = str(error)
        else:
            keys = ("status", "profile", "labels", "started", "seconds")
            entry.update({key: data[key] for key in keys}, lesson=data["lesson"]["id"])
        found.append(entry)
    if json:
        print_json(found)
        return
    if not found:
        typer.echo(f"No runs in {folder}")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "status", "profile", "labels", "time"):
        table.add_column(name, overflow="fold")
    for entry in found:
        _, style = SIGNS.get(entry["status"], ("", "yellow"))
        seconds = duration(entry["seconds"]) if "seconds" in entry else ""
        labels = ", ".join(entry.get("labels", []))
        row = (entry["run_id"], Text(entry["status"], style), entry.get("profile", ""), labels, seconds)
        table.add_row(*(Text(safe(cell)) if isinstance(cell, str) else cell for cell in row))
    make_console().print(table)
