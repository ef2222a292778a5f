"""``lesson run``: execute, judge and record every step of a lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    AllowOption,
    BackendOption,
    ChooseOption,
    EnvOption,
    JsonOption,
    LessonArgument,
    OverlayOption,
    ParamOption,
    PlaceOption,
    ProfileOption,
    SandboxOption,
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
from lesson_runner.cli.hardware import HardwareOption, detect_hardware
from lesson_runner.cli.isolation import make_sandbox
from lesson_runner.cli.permissions import allowed_permissions
from lesson_runner.cli.run_session import run_session

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def run(
    context: typer.Context,
    lesson: LessonArgument,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    workspace: WorkspaceOption = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="STEP", help="Start at this step.")] = None,
    until: Annotated[str | None, typer.Option(metavar="STEP", help="Stop after this step.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Run only this step; repeatable.")
    ] = None,
    param: ParamOption = None,
    overlay: OverlayOption = None,
    choose: ChooseOption = None,
    continue_: Annotated[
        str | None,
        typer.Option(
            "--continue",
            metavar="RUN",
            help="Work in the files and the terminal of this run. Default: those of the lesson's last run if "
            "--from or --only leave out its first step, else new ones.",
        ),
    ] = None,
    place: PlaceOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do not reuse downloads and trainings of earlier runs.")
    ] = False,
    allow: AllowOption = None,
    sandbox: SandboxOption = False,
    env: EnvOption = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for Enter after every step.")] = False,
    json: JsonOption = False,
) -> int:
    """Run a lesson: execute, judge and record every step."""
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.options import RunOptions, check_place
    from lesson_runner.run.params import parse_choice, parse_param
    from lesson_runner.run.prepare import prepare_run
    from lesson_runner.run.selection import Selection

    plugins: Plugins = context.obj
    interactive = is_interactive(json=json)
    check_can_pause(step=step, interactive=interactive)
    allowed = allowed_permissions(allow)
    passed = check_passed(env or ())
    params = tuple(map(parse_param, param or ()))
    document, problems, installed = open_valid_lesson(lesson, plugins, overlay)
    hardware = detect_hardware(plugins, expected)
    where = Workspace(workspace_folder(workspace).resolve())
    options = RunOptions(
        hardware=hardware,
        workspace=where,
        profile=profile,
        backend=backend,
        params=params,
        choices=tuple(map(parse_choice, choose or ())),
        selection=Selection(from_, until, tuple(only or ())),
        place=check_place(place, where, sandboxed=sandbox),
        continues=continue_,
        fresh=fresh,
        allowed=allowed,
        passed=passed,
        sandbox=make_sandbox(hardware, wanted=sandbox),
        ask=ask if interactive else None,
        note=note,
    )
    plan = plan_to_run(document, problems, plugins, options)
    prepared = prepare_run(plan, plugins, options, installed=installed)
    record, _ = run_session(prepared, json=json, pause=step)
    if json:
        print_json(record)
    return int(record["exit_code"])
