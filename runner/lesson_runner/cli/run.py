"""``lesson run``: execute a lesson, judge every step, record it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    WORKSPACE,
    BackendOption,
    JsonOption,
    LessonArgument,
    ParamOption,
    ProfileOption,
    WorkspaceOption,
    ask,
    check_backend,
    expand,
    make_console,
    open_valid_lesson,
    print_json,
    stdout_for_json,
)
from lesson_runner.cli.hardware import HardwareOption, check_hardware
from lesson_runner.cli.heading import profile_lines, recognition_line, without_repetition
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.context import Listener
    from lesson_runner.model import Lesson, Plan, PlannedStep
    from lesson_runner.plugins import Plugins

PERMISSIONS = ("shell",)


def run(
    context: typer.Context,
    lesson: LessonArgument,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    from_: Annotated[str | None, typer.Option("--from", metavar="STEP", help="Begin with this step.")] = None,
    until: Annotated[str | None, typer.Option(metavar="STEP", help="End after this step.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="Run this step only; may be given again.")
    ] = None,
    param: ParamOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Keep files in the run's own folder: see none of earlier runs.")
    ] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="PERMISSION", help="What the lesson may do without asking: shell."),
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Wait for Enter after every step.")] = False,
    json: JsonOption = False,
) -> int:
    """Run a lesson: every step executed, judged and recorded."""
    from lesson_runner.cli.pause import Pause
    from lesson_runner.context import RunContext, Workspace
    from lesson_runner.report.closing import print_closing
    from lesson_runner.report.live import LiveReporter
    from lesson_runner.run.params import parse_param
    from lesson_runner.run.plan import choose_profile, make_plan
    from lesson_runner.run.runner import Selection, new_run_folder, run_plan, selected

    plugins: Plugins = context.obj
    allowed = _allowed(allow)
    params = [parse_param(text) for text in param or ()]
    document, problems, installed = open_valid_lesson(lesson, plugins)
    hardware = plugins.detect_hardware()
    check_hardware(expected, hardware)
    chosen = choose_profile(document, plugins, profile, hardware, check_backend(backend))
    plan = make_plan(document, problems, plugins, chosen, params)
    selection = Selection(from_, until, tuple(only or ()))
    steps = selected(plan, selection)
    console = make_console()
    interactive = sys.stdin.isatty() and console.is_terminal and not json
    if step and not interactive:
        raise LessonError("--step waits for a person", fix="use a terminal, and leave out --json")
    if not installed:
        _check_permissions(document, steps, plugins, allowed, interactive)
    place = Workspace(expand(workspace).resolve())
    folder = new_run_folder(place.runs, document.id)
    run_context = RunContext(
        plan.lesson,
        chosen,
        backend,
        Workspace(folder) if fresh else place,
        folder,
        hardware,
        fresh,
        interactive,
        ask=ask if interactive else None,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end the run with a record
    if json:
        with stdout_for_json():
            record = run_plan(plan, run_context, plugins, selection=selection, params=params)
        print_json(record)
        return int(record["exit_code"])
    _print_heading(console, plan, plugins, folder)
    reporter = LiveReporter(console, without_repetition(plan))
    listeners: list[Listener] = [reporter, Pause(steps[-1].id)] if step else [reporter]
    try:
        record = run_plan(plan, run_context, plugins, listeners=listeners, selection=selection, params=params)
    finally:
        reporter.close()
    print_closing(console, record, plugins.report_sections(record, folder))
    console.print(f"Record: {folder / 'record.json'}", soft_wrap=True)
    console.print(f"Texts, loss curves and output of every step: {folder / 'evidence'}", soft_wrap=True)
    return int(record["exit_code"])


def _allowed(allow: list[str] | None) -> set[str]:
    allowed = {name.strip() for item in allow or () for name in item.split(",")}
    for name in allowed - set(PERMISSIONS):
        raise LessonError(
            f"--allow {name}: there is no such permission", fix=f"one of: {', '.join(PERMISSIONS)}"
        )
    return allowed


def _check_permissions(
    lesson: Lesson, steps: Iterable[PlannedStep], plugins: Plugins, allowed: set[str], interactive: bool
) -> None:
    """
    Make sure that a lesson from elsewhere runs other people's code only with leave.

    Raises:
        LessonError: leave was not given.
    """
    actions = plugins.actions()
    asking = [step for step in steps if actions[step.action].permissions - allowed]
    if not asking:
        return
    names = ", ".join(f"'{step.id}'" for step in asking)
    wanted = sorted({name for step in asking for name in actions[step.action].permissions - allowed})
    question = f"{lesson.path} wants to run commands of its own (steps {names}). Allow that?"
    if interactive and ask(question):
        return
    raise LessonError(
        f"{lesson.path}: steps {names} run commands of the lesson's author on this machine",
        fix=f"read them, then run again with --allow {','.join(wanted)}",
    )


def _print_heading(console: Console, plan: Plan, plugins: Plugins, folder: Path) -> None:
    from rich.text import Text

    from lesson_runner.report.text import safe

    console.print(Text(safe(plan.lesson.title), "bold"))
    profiles = plan.lesson.runner.get("profiles", {})
    summary = profiles.get(plan.profile, {}).get("summary", "")
    line = f"Profile {plan.profile}{': ' if summary else ''}{safe(summary)}"
    console.print(Text(line), soft_wrap=True)
    for line in [*profile_lines(plan, plugins.actions()), recognition_line(plan)]:
        if line:
            console.print(Text(safe(line)), soft_wrap=True)
    console.print(
        Text(f"Steps: {len(plan.steps)}; everything is written below {folder.parent.parent}"), soft_wrap=True
    )
    for problem in plan.diagnostics:
        console.print(Text(safe(str(problem)), "yellow"), soft_wrap=True)
    if plan.not_run:
        lines = [str(item.block.location.line) for item in plan.not_run]
        blocks = "the block at line" if len(lines) == 1 else "the blocks at lines"
        what = "Not covered" if plan.recognised else "Not run"
        text = f"{what}: {blocks} {', '.join(lines)}; 'lesson plan' says why"
        console.print(Text(text, "dim"), soft_wrap=True)
