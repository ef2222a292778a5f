"""``lesson resume``: resume a run that was interrupted or failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    AllowOption,
    EnvOption,
    JsonOption,
    PlaceOption,
    WorkspaceOption,
    ask,
    check_can_pause,
    is_interactive,
    note,
    open_valid_lesson,
    plan_to_run,
    print_json,
    workspace_folder,
)
from lesson_runner.cli.isolation import make_sandbox
from lesson_runner.cli.permissions import allowed_permissions
from lesson_runner.cli.run_session import run_session
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def resume(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run by its name, the start of its name, its folder, or latest."
        ),
    ] = "latest",
    workspace: WorkspaceOption = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Run this step and all later steps again.")
    ] = None,
    place: PlaceOption = None,
    allow: AllowOption = None,
    env: EnvOption = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for Enter after every step.")] = False,
    json: JsonOption = False,
) -> int:
    """
    Resume a run that was interrupted or failed.

    Steps that passed are not run again.
    """
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.options import RunOptions, check_place
    from lesson_runner.run.params import params_of
    from lesson_runner.run.prepare import prepare_run
    from lesson_runner.run.resume import find_resumable, without_steps_from
    from lesson_runner.run.selection import Selection

    plugins: Plugins = context.obj
    interactive = is_interactive(json=json)
    check_can_pause(step=step, interactive=interactive)
    allowed = allowed_permissions(allow)
    unfinished = find_resumable(run, workspace_folder(workspace).resolve() / "runs")
    record = unfinished.record
    was = record["options"]
    where = Workspace(unfinished.folder.parent.parent)
    place = check_place(place, where, sandboxed="sandbox" in was)
    if was.get("in") != (None if place is None else str(place)):
        started = f"was started with --in {was['in']}" if was.get("in") else "was started without --in"
        fix = "repeat it" if was.get("in") else "leave it out"
        raise LessonError(f"{unfinished.folder.name} {started}", fix=fix)
    # Never take these from the record alone: it may be a stranger's, and they are this user's secrets.
    if forgotten := sorted({*was.get("env", ())} - {*(env or ())}):
        raise LessonError(
            f"{unfinished.folder.name} was started with --env {' --env '.join(forgotten)}",
            fix="repeat it: the remaining steps may need the variable",
        )
    passed = check_passed(env or ())
    document, problems, installed = open_valid_lesson(
        record["lesson"]["path"], plugins, _overlay_of(record["lesson"])
    )
    hardware = plugins.detect_hardware()
    options = RunOptions(
        hardware=hardware,
        workspace=where,
        profile=record["profile"],
        backend=record["backend"],
        params=tuple(params_of(record)),
        choices=tuple(record.get("choices", {}).items()),
        selection=Selection(was.get("start"), was.get("until"), tuple(was.get("only", ()))),
        place=place,
        fresh=bool(was.get("fresh")),
        allowed=allowed,
        passed=passed,
        sandbox=make_sandbox(hardware, wanted="sandbox" in was),
        ask=ask if interactive else None,
        note=note,
    )
    plan = plan_to_run(document, problems, plugins, options)
    unfinished = without_steps_from(unfinished, plan, from_)
    prepared = prepare_run(plan, plugins, options, installed=installed, resume=unfinished)
    result, _ = run_session(prepared, json=json, pause=step)
    if json:
        print_json(result)
    return int(result["exit_code"])


def _overlay_of(lesson: Mapping[str, str]) -> Path | None:
    """Return the folder of the sidecar of a run, if it is not the lesson's own."""
    from lesson_runner.document.sidecar import sidecar_path

    used = lesson.get("sidecar")
    if used is None or Path(used) == sidecar_path(Path(lesson["path"])):
        return None
    return Path(used).parent
