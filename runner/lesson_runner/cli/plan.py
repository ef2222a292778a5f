"""``lesson plan``: show what a run would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lesson_runner.cli.common import (
    BackendOption,
    ChooseOption,
    JsonOption,
    LessonArgument,
    OverlayOption,
    ParamOption,
    ProfileOption,
    make_console,
    open_valid_lesson,
    plan_to_run,
    print_json,
)
from lesson_runner.cli.hardware import HardwareOption, detect_hardware
from lesson_runner.cli.plan_summary import (
    choice_lines,
    not_run_line,
    profile_lines,
    recognition_line,
    roles_line,
    without_repetition,
)

if TYPE_CHECKING:
    from lesson_runner.model import Expectation, PlannedStep
    from lesson_runner.plugins.manager import Plugins


def plan(
    context: typer.Context,
    lesson: LessonArgument,
    profile: ProfileOption = None,
    backend: BackendOption = "auto",
    expected: HardwareOption = None,
    param: ParamOption = None,
    overlay: OverlayOption = None,
    choose: ChooseOption = None,
    json: JsonOption = False,
) -> None:
    """
    Show what a run would do, step by step.

    Each step is shown with its command, parameters and expectations.
    """
    from rich.text import Text

    from lesson_runner.execute.inputs import Inputs
    from lesson_runner.report.text import block, line
    from lesson_runner.run.options import RunOptions
    from lesson_runner.run.params import parse_choice, parse_param
    from lesson_runner.run.permissions import permissions_needed
    from lesson_runner.run.record import describe_plan

    plugins: Plugins = context.obj
    document, problems, installed = open_valid_lesson(lesson, plugins, overlay)
    hardware = detect_hardware(plugins, expected)
    params = tuple(map(parse_param, param or ()))
    choices = tuple(map(parse_choice, choose or ()))
    options = RunOptions(hardware=hardware, profile=profile, backend=backend, params=params, choices=choices)
    made = plan_to_run(document, problems, plugins, options)
    actions, inputs = plugins.actions(), Inputs(document.path)
    asked = {step.id: sorted(permissions_needed(step, actions[step.action], inputs)) for step in made.steps}
    if json:
        described = describe_plan(made)
        for step in described["steps"]:
            step["permissions"] = [] if installed else asked[step["id"]]
        print_json(described)
        return
    permission_rows = {name: [] if installed else _permission_rows(found) for name, found in asked.items()}
    console = make_console()
    console.print(Text(line(f"{document.title}, profile {made.profile}"), "bold"))
    for text in [recognition_line(made), *profile_lines(made, plugins.actions())]:
        if text:
            console.print(text)
    for number, step in enumerate(without_repetition(made).steps, 1):
        console.print()
        console.print(Text.assemble(f"{number}. ", (line(step.title), "bold"), (f"  ({step.id})", "dim")))
        for row in [*_rows(step), *permission_rows[step.id]]:
            console.print(Text(block(row, "   ")))
    console.print()
    for problem in made.diagnostics:
        console.print(Text(line(problem), "yellow"))
    for row in choice_lines(made):
        console.print(line(row))
    name = "not covered" if made.recognised else "not run"
    for item in made.not_run:
        console.print(Text(line(f"{name}: {not_run_line(item)}"), "dim"))
    if row := roles_line(made):
        console.print(line(row))


def _rows(step: PlannedStep) -> list[str]:
    from lesson_runner.report.text import command_rows
    from lesson_runner.run.plan import GENERAL

    claimed = f", recognised by plugin {step.claimed_by}" if step.claimed_by else ""
    rows = [f"line {step.location.line}, action {step.action}{claimed}"]
    rows += [f"{step.role}: {_ROLES[step.role]}"] if step.role in _ROLES else []
    rows += [f"skipped: {step.skip}"] if step.skip else []
    rows += [f"needs {', '.join(step.needs)}"] if step.needs else []
    rows += [f"requires {', '.join(map(str, step.requires))}"] if step.requires else []
    rows += [row for row in command_rows(step.command or step.source, step.action) if row.strip(" $")]
    usual = "defaults" if step.action in GENERAL else ""  # always the same, and so not worth a line
    for layer in (layer for layer in step.layers if layer.name != usual):
        shown = {name: value for name, value in layer.params.items() if name not in ("script", "text")}
        rows += [f"{layer.name}: {', '.join(f'{k} {v}' for k, v in shown.items())}"] if shown else []
    rows += ["runs at the end, whatever happened before"] if step.cleanup else []
    rows += [f"hint: {step.hint}"] if step.hint else []
    rows += [f"expects {_expectation(item)}" for item in step.expect]
    return rows + [f"compared with the output shown at line {item.places[0].line}" for item in step.shown]


_ROLES = {
    "system": "changes this machine; --allow system runs it",
    "service": "runs in the background until the end of the run",
    "interactive": "waits for a person",
}


def _permission_rows(asked: Sequence[str]) -> list[str]:
    """Return the permissions a step asks for, except shell: the commands themselves show that."""
    from lesson_runner.execute.inputs import READ, why_protected
    from lesson_runner.run.permissions import describe_permission, kind_of

    rows = [f"asks to {describe_permission(item)}" for item in asked if kind_of(item) != "shell"]
    never = [item.partition(" ")[2] for item in asked if kind_of(item) == READ]
    return rows + [f"never read: {path}: {reason}" for path in never if (reason := why_protected(Path(path)))]


def _expectation(item: Expectation) -> str:
    from lesson_runner.run.judge import bounds, describe_expected

    argument = bounds(item.argument) if item.matcher == "metric" else str(item.argument)
    text = describe_expected(item.matcher, argument)
    when = " and ".join(f"{name} is {value}" for name, value in item.when.items())
    return f"{text} (when {when})" if when else text
