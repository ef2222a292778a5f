"""``lesson run``: execute, judge and record every step of a lesson, or of all lessons of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    AllowOption,
    BackendOption,
    ChooseOption,
    EnvOption,
    JsonOption,
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
from lesson_runner.cli.run_folder import lesson_folder, refuse_for_folder, run_folder
from lesson_runner.cli.run_session import run_session

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def run(
    context: typer.Context,
    lesson: Annotated[
        str,
        typer.Argument(
            metavar="LESSON", help="A lesson's id, or the path of its .md file, or of a folder with lessons."
        ),
    ],
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
    """
    Run a lesson: execute, judge and record every step.

    All lessons of a folder are run one after another, in the order of their links to each other.
    """
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.plugins.context import Workspace
    from lesson_runner.run.options import RunOptions, check_place
    from lesson_runner.run.params import parse_choice, parse_param
    from lesson_runner.run.prepare import prepare_run
    from lesson_runner.run.selection import Selection

    plugins: Plugins = context.obj
    folder = lesson_folder(lesson, plugins)
    if folder is not None:
        refuse_for_folder(
            folder,
            {"--from": from_, "--until": until, "--only": only, "--param": param, "--choose": choose}
            | {"--continue": continue_, "--in": place, "--step": step},
        )
    interactive = is_interactive(json=json)
    check_can_pause(step=step, interactive=interactive)
    allowed = allowed_permissions(allow)
    passed = check_passed(env or ())
    params = tuple(map(parse_param, param or ()))
    opened = open_valid_lesson(lesson, plugins, overlay) if folder is None else None
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
    if opened is None:
        return run_folder(lesson, plugins, options, overlay, json=json)
    document, problems, installed = opened
    plan = plan_to_run(document, problems, plugins, options)
    prepared = prepare_run(plan, plugins, options, installed=installed)
    record, _ = run_session(prepared, json=json, pause=step)
    if json:
        print_json(record)
    return int(record["exit_code"])
