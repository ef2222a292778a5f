"""``--hardware``: the hardware that the user expects in this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lesson_runner.model import Hardware
    from lesson_runner.plugins.manager import Plugins

HardwareOption = Annotated[
    str | None,
    typer.Option(
        "--hardware",
        metavar="NAME",
        help="Stop unless this hardware is found: n150, t3k …; 'lesson hw' shows yours.",
    ),
]


def detect_hardware(plugins: Plugins, expected: str | None) -> tuple[Hardware, ...]:
    """
    Return the hardware that the plugins find in this machine.

    Raises:
        LessonError: there is no hardware of the expected name.
        HardwareError: the machine has something else, or only a simulator or a mock of it.
    """
    found = plugins.detect_hardware()
    _check_hardware(expected, found)
    return found


def _check_hardware(name: str | None, found: Sequence[Hardware]) -> None:
    """Raise an error unless the expected hardware was found."""
    from lesson_runner.document.schema.validator import load_schema
    from lesson_runner.model.errors import HardwareError, LessonError
    from lesson_runner.model.hints import suggest_names

    if name is None:
        return
    known = load_schema("lesson")["$defs"]["hardware"]["enum"]
    if name not in known:
        raise LessonError(f"--hardware {name}: there is no such hardware", fix=suggest_names(name, known))
    kind = "simulator" if name == "simulator" else "silicon"
    if any(item.name == name and item.kind == kind and item.usable for item in found):
        return
    detected = "; ".join(f"{_describe(item)} ({item.detected_by})" for item in found)
    raise HardwareError(
        f"--hardware {name}: expected {name}, found {detected or 'nothing: no plugin looks for hardware'}",
        fix="leave out --hardware to run on what was found; 'lesson hw' shows it and how it was detected",
    )


def _describe(item: Hardware) -> str:
    """Describe hardware, with its kind unless it is a usable board."""
    if item.kind == "none" or item.is_board:
        return item.name
    return f"{item.name} as a {item.kind}" if item.kind != "silicon" else f"{item.name} without a usable chip"
