"""``lesson resume``: go on with a run that ended before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    AllowOption,
    EnvOption,
    JsonOption,
    WorkspaceOption,
    check_backend,
    expand,
    open_valid_lesson,
    print_json,
    somebody_is_there,
)
from lesson_runner.cli.guard import open_guard
from lesson_runner.cli.perform import Way, perform
from lesson_runner.cli.permissions import allowed_permissions, check_permissions
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.plugins import Plugins


def resume(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run's name, the beginning of one, or its folder.")
    ] = "latest",
    workspace: WorkspaceOption = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="STEP", help="Run this step and all after it again.")
    ] = None,
    allow: AllowOption = None,
    env: EnvOption = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for Enter after every step.")] = False,
    json: JsonOption = False,
) -> int:
    """Go on with a run that was interrupted or failed: what passed is not run again."""
    from lesson_runner.context import Workspace
    from lesson_runner.execute.inputs import Inputs
    from lesson_runner.run.find import find_run
    from lesson_runner.run.lock import holder
    from lesson_runner.run.params import params_of
    from lesson_runner.run.plan import choose_profile, make_plan
    from lesson_runner.run.resume import carry, earlier_than, read_interrupted
    from lesson_runner.run.selection import Selection, selected

    plugins: Plugins = context.obj
    allowed = allowed_permissions(allow)
    root = expand(workspace).resolve()
    folder = find_run(run, root / "runs")
    place = Workspace(folder.parent.parent)
    place.check_links()
    for used in (place.root, folder):
        if owner := holder(used):
            raise LessonError(f"{used} is in use by {owner}", fix="wait until it ends")
    begun = read_interrupted(folder)
    options = begun.record["options"]
    # Never from the record alone: it may be a stranger's, and they are this user's secrets.
    if forgotten := sorted({*options.get("env", ())} - {*(env or ())}):
        raise LessonError(
            f"{folder.name} was begun with --env {' --env '.join(forgotten)}",
            fix="give that again: its other steps may need it",
        )
    document, problems, installed = open_valid_lesson(begun.record["lesson"]["path"], plugins)
    hardware = plugins.detect_hardware()
    guard = open_guard(env, hardware, sandbox="sandbox" in options)
    params = params_of(begun.record)
    backend = check_backend(begun.record["backend"])
    profile = choose_profile(document, plugins, begun.record["profile"], hardware, backend)
    plan = make_plan(document, problems, plugins, profile, params)
    selection = Selection(options.get("start"), options.get("until"), tuple(options.get("only", ())))
    steps = selected(plan, selection)
    fresh = bool(options.get("fresh"))
    files = (Workspace(folder) if fresh else place).files
    carried = carry(earlier_than(begun, plan, from_), plan, hardware, plugins.infos.values(), files)
    interactive = somebody_is_there(step=step, json=json)
    again = [item for item in steps if item.id not in carried.results]
    inputs = Inputs(document.path, (files, folder), guard.sandbox, given=False)
    granted = check_permissions(
        plan, again, plugins, allowed, inputs, installed=installed, interactive=interactive
    )
    way = Way(
        backend,
        hardware,
        place,
        fresh=fresh,
        interactive=interactive,
        json=json,
        pause=step,
        guard=guard.with_permissions(granted),
    )
    record, _ = perform(plan, plugins, way, selection, params, folder, carried)
    if json:
        print_json(record)
    return int(record["exit_code"])
