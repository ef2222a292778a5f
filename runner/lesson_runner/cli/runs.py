"""``lesson runs``: list the runs in a workspace; ``lesson runs rm`` removes some."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from lesson_runner.cli.common import (
    JsonOption,
    WorkspaceOption,
    confirm,
    make_console,
    print_json,
    workspace_folder,
)
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

runs = typer.Typer(help="List the runs in a workspace, or remove some.", invoke_without_command=True)


@runs.callback()
def list_runs(context: typer.Context, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the runs in a workspace, oldest first."""
    from lesson_runner.run.find import run_folders

    if context.invoked_subcommand:
        context.meta[__name__] = workspace
        return
    folder = workspace_folder(workspace) / "runs"
    found = [_describe(path) for path in run_folders(folder)]
    if json:
        print_json(found)
    elif found:
        _print(found)
    else:
        say(f"No runs in {folder}")


@runs.command("rm")
def remove(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="RUN", help="Runs by name, or latest.")] = None,
    keep: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Remove all runs but the N newest ones.")
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Remove runs that are older, such as 30d, 12h or 2w.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Workspace that the runs are in. Default: .lesson.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not prompt.")] = False,
) -> None:
    """
    Remove runs with their records, evidence and files.

    With --keep and --older-than, runs that are in progress stay, and so do runs whose files a later run uses
    that stays. With both, a run is removed if both say so.
    """
    from rich.filesize import decimal

    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.removal import Removal

    folder = workspace_folder(workspace or context.meta[__name__]) / "runs"
    Workspace(folder.parent).check_links()
    removal = Removal(folder)
    if names and (keep is not None or older_than is not None):
        raise LessonError("name runs, or use --keep and --older-than", fix="leave one of them out")
    if names:
        found = removal.named(names)
    elif keep is not None or older_than is not None:
        found = removal.outdated(keep, None if older_than is None else _age(older_than))
    else:
        raise LessonError("no run is named", fix="name runs, or use --keep N or --older-than 30d")
    for note in removal.notes:
        say(note)
    if not found:
        say(f"nothing to remove in {folder}")
        return
    if not yes and not confirm(f"Remove {', '.join(path.name for path in found)}?"):
        raise LessonError("nothing was removed", fix="answer yes at the prompt, or add --yes")
    for path in found:
        size = removal.remove(path)
        say(f"removed {path.name} ({decimal(size)})")


_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def _age(text: str) -> timedelta:
    """
    Return an age that is given like ``30d``.

    Raises:
        LessonError: it is no age.
    """
    match = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    if match is None:
        raise LessonError(
            f"--older-than {text}: expected a number of minutes, hours, days or weeks",
            fix="write it like 45m, 12h, 30d or 2w",
        )
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _describe(path: Path) -> dict[str, Any]:
    from lesson_runner.run.stored import read_overview

    entry: dict[str, Any] = {"run_id": path.name, "folder": str(path), "status": "unfinished"}
    try:
        return {**entry, **read_overview(path)}
    except LessonError as error:
        return {**entry, "error": str(error)}


def _print(found: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from lesson_runner.report.live import SIGNS
    from lesson_runner.report.tables import PlainTable
    from lesson_runner.report.text import duration

    table = PlainTable("run", "status", "profile", "labels", "time")
    for entry in found:
        _, style = SIGNS.get(entry["status"], ("", "yellow"))
        seconds = duration(entry["seconds"]) if "seconds" in entry else ""
        labels = ", ".join(entry.get("labels", []))
        table.add(entry["run_id"], Text(entry["status"], style), entry.get("profile", ""), labels, seconds)
    make_console().print(table)
