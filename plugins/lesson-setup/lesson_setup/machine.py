"""The machine that the checks inspect."""

from __future__ import annotations

from lesson_runner.plugins import Machine, RunContext
from lesson_tenstorrent.hardware.places import Places

PLACES = Places()
"""Folders of this machine; tests replace them."""


def machine_of(context: RunContext) -> Machine:
    """Return the machine to check in a run."""
    return Machine(
        backend=context.backend,
        hardware=tuple(context.hardware),
        lesson=context.lesson.frontmatter,
        workspace=context.workspace.root,
    )
