"""The machine as checks see it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lesson_runner.plugin import Hardware, Json, Machine, RunContext
from lesson_tenstorrent.hardware.places import Places

PLACES = Places()
"""Of this machine; tests put another in its place."""
MINIMUM = "minTTMetalVersion"


def machine_of(context: RunContext, metal: str | None = None) -> Machine:
    """Return this machine for a run's checks; ``metal`` is the oldest tt-metal that a step asks for."""
    lesson = context.lesson.frontmatter
    return this_machine(context.backend, context.workspace.root, context.hardware, metal, lesson)


def this_machine(
    backend: str,
    workspace: Path,
    hardware: Sequence[Hardware],
    metal: str | None = None,
    lesson: Json | None = None,
) -> Machine:
    """Return this machine, as the options of a run or a command want it looked at."""
    asked = {**(lesson or {}), **({MINIMUM: metal} if metal else {})}
    return Machine(backend=backend, hardware=tuple(hardware), lesson=asked, workspace=workspace)
