"""``--hardware``: the hardware that a user expects a run to use."""

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
        "--hardware", metavar="NAME", help="Stop unless the machine is this: n150, t3k …; lesson hw names it."
    ),
]


def detect_hardware(plugins: Plugins, expected: str | None) -> tuple[Hardware, ...]:
    """
    Return what the plugins find in this machine.

    Raises:
        LessonError: no lesson can ask for hardware of that name.
        HardwareError: the machine has something else, or only a simulator or a description of it.
    """
    found = plugins.detect_hardware()
    _check_hardware(expected, found)
    return found


def _check_hardware(name: str | None, found: Sequence[Hardware]) -> None:
    """Compare the expected hardware with what was found; what was found always counts."""
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
    said = "; ".join(f"{_words(item)} ({item.detected_by})" for item in found)
    raise HardwareError(
        f"--hardware {name}: expected {name}, found {said or 'nothing: no plugin looks for hardware'}",
        fix="leave --hardware out to run on what is there; 'lesson hw' shows it, and how it is known",
    )


def _words(item: Hardware) -> str:
    """Return what was found in words that tell a description from a board."""
    if item.kind == "none" or item.is_board:
        return item.name
    return f"{item.name} as a {item.kind}" if item.kind != "silicon" else f"{item.name} without a usable chip"
