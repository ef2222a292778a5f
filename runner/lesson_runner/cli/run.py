"""``lesson run``: execute a lesson, judge every step, record it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    AllowOption,
    BackendOption,
    EnvOption,
    JsonOption,
    LessonArgument,
    ParamOption,
    ProfileOption,
    SandboxOption,
    WorkspaceOption,
    check_backend,
    expand,
    open_valid_lesson,
    print_json,
    somebody_is_there,
)
from lesson_runner.cli.guard import open_guard
from lesson_runner.cli.hardware import HardwareOption, check_hardware
from lesson_runner.cli.perform import Way, perform
from lesson_runner.cli.permissions import allowed_permissions, check_permissions

if TYPE_CHECKING:
    from lesson_runner.plugins import Plugins


def run(
    context: typer.Context,
    lesson: LessonArgument,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    workspace: WorkspaceOption = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="STEP", help="Begin with this step.")] = None,
    until: Annotated[str | None, typer.Option(metavar="STEP", help="End after this step.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Run this step only; may be given again.")
    ] = None,
    param: ParamOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Keep files in the run's own folder: see none of earlier runs.")
    ] = False,
    allow: AllowOption = None,
    sandbox: SandboxOption = False,
    env: EnvOption = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for Enter after every step.")] = False,
    json: JsonOption = False,
) -> int:
    """Run a lesson: every step executed, judged and recorded."""
    from lesson_runner.context import Workspace
    from lesson_runner.execute.inputs import Inputs
    from lesson_runner.run.params import parse_param
    from lesson_runner.run.plan import choose_profile, make_plan
    from lesson_runner.run.selection import Selection, selected

    plugins: Plugins = context.obj
    allowed = allowed_permissions(allow)
    params = [parse_param(text) for text in param or ()]
    document, problems, installed = open_valid_lesson(lesson, plugins)
    hardware = plugins.detect_hardware()
    guard = open_guard(env, hardware, sandbox=sandbox)
    check_hardware(expected, hardware)
    chosen = choose_profile(document, plugins, profile, hardware, check_backend(backend))
    plan = make_plan(document, problems, plugins, chosen, params)
    selection = Selection(from_, until, tuple(only or ()))
    steps = selected(plan, selection)
    interactive = somebody_is_there(step=step, json=json)
    place = Workspace(expand(workspace).resolve())
    inputs = Inputs(document.path, () if fresh else (place.files,), guard.sandbox)
    granted = check_permissions(
        plan, steps, plugins, allowed, inputs, installed=installed, interactive=interactive
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
    record, _ = perform(plan, plugins, way, selection, params)
    if json:
        print_json(record)
    return int(record["exit_code"])
