"""``lesson runs``: list the runs in a workspace; ``lesson runs rm`` removes some."""

from __future__ import annotations

import os
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
    names: Annotated[list[str], typer.Argument(metavar="RUN", help="Runs by name, or latest.")],
    workspace: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Workspace that the runs are in. Default: .lesson.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not prompt.")] = False,
) -> None:
    """
    Remove runs with their records and evidence.

    Data sets and checkpoints stay.
    """
    from lesson_runner.files.untrusted import remove_tree
    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.find import find_run
    from lesson_runner.run.lock import lock_owner

    folder = workspace_folder(workspace or context.meta[__name__]) / "runs"
    Workspace(folder.parent).check_links()
    # Find all of them before removing any.
    found = list(dict.fromkeys(find_run(name, folder) for name in names))
    for path in found:
        if path.parent.resolve() != folder.resolve():
            raise LessonError(
                f"{path} is not a run in {folder}",
                fix=f"name its workspace: --workspace {path.parent.parent}",
            )
        for used in (path, path.parent.parent):
            if (owner := lock_owner(used)) and path.name in owner:
                raise LessonError(
                    f"{path.name} is not removed: {used} is in use by {owner}",
                    fix="stop it, or wait until it ends",
                )
    if not yes and not confirm(f"Remove {', '.join(path.name for path in found)}?"):
        raise LessonError("nothing was removed", fix="answer yes at the prompt, or add --yes")
    for path in found:
        # Rename it first: a run that is only half removed must not look like a run.
        removed = path.with_name(f".{path.name}.removed")
        try:
            if os.path.lexists(removed):  # left over from a removal that failed
                remove_tree(removed)
            remove_tree(path.rename(removed))
        except OSError as error:
            where, why = error.filename or removed, error.strerror or error
            raise LessonError(
                f"{path.name} cannot be removed: {where}: {why}", fix=f"remove the rest yourself: {removed}"
            ) from None
        say(f"removed {path.name}")


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
