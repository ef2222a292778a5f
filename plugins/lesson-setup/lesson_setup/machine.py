"""The machine as checks see it."""

from __future__ import annotations

from lesson_runner.plugins import Machine, RunContext
from lesson_tenstorrent.hardware.places import Places

PLACES = Places()
"""Of this machine; tests put another in its place."""


def machine_of(context: RunContext) -> Machine:
    """Return this machine for a run's checks."""
    return Machine(
        backend=context.backend,
        hardware=tuple(context.hardware),
        lesson=context.lesson.frontmatter,
        workspace=context.workspace.root,
    )
