"""The declarations of the actions; their code is imported when a step runs."""

from __future__ import annotations

from typing import Any

from lesson_runner.plugins import Action, Json
from lesson_setup.checks.table import IDS
from lesson_tenstorrent.findings import METRICS

NUMBER = {"type": "number", "exclusiveMinimum": 0}
CHECK_PROPERTIES: dict[str, Any] = {
    "checks": {
        "description": "Ids of the checks to run; by default all.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"enum": list(IDS)},
    },
    "disk_gb": {"description": "Free disk space needed, in GB.", **NUMBER},
    "memory_gb": {"description": "Memory needed, in GB.", **NUMBER},
    "metal": {
        "description": "The oldest tt-metal that is recent enough; by default the lesson's minimum.",
        "type": "string",
        "pattern": r"^v?\d+\.\d+(\.\d+)?$",
    },
}


def _check_command(params: Json) -> str:
    given = [f"{name}={value}" for name, value in params.items() if name != "checks"]
    command = f"lesson doctor --check {','.join(params.get('checks', IDS))}"
    return f"{command}  # with {', '.join(given)}" if given else command


def _schema(properties: dict[str, Any]) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


ACTIONS = (
    Action(
        "setup.show-hardware",
        "Show the boards of this machine, and how they were found",
        "lesson_setup.actions.hardware:run",
        schema=_schema({}),
        self_judging=True,
        command=lambda _: "lesson hw --quick",
        metrics=("devices", "usable_devices", "chips_on_bus"),
    ),
    Action(
        "setup.check",
        "Check Python, packages, disk, memory, and on a board the driver, tt-metal and ttnn",
        "lesson_setup.actions.check:run",
        schema=_schema(CHECK_PROPERTIES),
        self_judging=True,
        command=_check_command,
        checks="lesson_setup.actions.check:checks_for",
        metrics=METRICS,
    ),
    Action(
        "setup.report",
        "Say in plain words what this machine can do",
        "lesson_setup.actions.report:run",
        schema=_schema({}),
        self_judging=True,
        command=lambda _: "lesson doctor verify-your-setup",
        checks="lesson_setup.actions.check:checks_for",
        metrics=(*METRICS, "ready"),
    ),
)
