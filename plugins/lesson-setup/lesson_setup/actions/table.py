"""The actions: what they take. How they run is loaded when they do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lesson_runner.plugin import Action, Check, Json, Outcome, StepContext
from lesson_setup.checks.table import IDS

NUMBER = {"type": "number", "exclusiveMinimum": 0}
CHECK_PROPERTIES: dict[str, Any] = {
    "checks": {
        "description": "Ids of the checks to run; all of them if left out.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"enum": list(IDS)},
    },
    "disk_gb": {"description": "Free disk space wanted, in GB.", **NUMBER},
    "memory_gb": {"description": "Memory wanted, in GB.", **NUMBER},
    "metal": {
        "description": "The oldest tt-metal that will do; by default what the lesson's frontmatter says.",
        "type": "string",
        "pattern": r"^v?\d+\.\d+(\.\d+)?$",
    },
}


def _show_hardware(params: Json, context: StepContext) -> Outcome:
    from lesson_setup.actions.hardware import run

    return run(params, context)


def _check(params: Json, context: StepContext) -> Outcome:
    from lesson_setup.actions.check import run

    return run(params, context)


def _checks(params: Json) -> Iterable[Check]:
    from lesson_setup.actions.check import checks_for

    return checks_for(params)


def _check_command(params: Json) -> str:
    given = [f"{name}={value}" for name, value in params.items() if name != "checks"]
    command = f"lesson doctor --check {','.join(params.get('checks', IDS))}"
    return f"{command}  # with {', '.join(given)}" if given else command


def _report(params: Json, context: StepContext) -> Outcome:
    from lesson_setup.actions.report import run

    return run(params, context)


def _schema(properties: dict[str, Any]) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


ACTIONS = (
    Action(
        "setup.show-hardware",
        "Show the boards of this machine, and how they were found",
        _show_hardware,
        schema=_schema({}),
        self_judging=True,
        command=lambda _: "lesson hw --quick",
    ),
    Action(
        "setup.check",
        "Check Python, packages, disk, memory, and on a board the driver, tt-metal and ttnn",
        _check,
        schema=_schema(CHECK_PROPERTIES),
        self_judging=True,
        command=_check_command,
        checks=_checks,
    ),
    Action(
        "setup.report",
        "Say in plain words what this machine can do",
        _report,
        schema=_schema({}),
        self_judging=True,
        command=lambda _: "lesson doctor verify-your-setup",
        checks=lambda _: _checks({}),
    ),
)
