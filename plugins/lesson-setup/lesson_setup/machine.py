"""The machine as checks see it."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from lesson_runner.plugin import RunContext
from lesson_setup.places import Places
from lesson_tenstorrent.checks import Machine
from lesson_tenstorrent.metal import parse_version

PLACES = Places()
"""Of this machine; tests put another in its place."""


def this_machine(backend: str, workspace: Path, disk_gb: float | None = None) -> Machine:
    """Return this machine, as the options of a run or a command want it looked at."""
    return Machine(backend=backend, devices=PLACES.devices, workspace=workspace, disk_gb=disk_gb)


def minimum_metal(wanted: str | None, context: RunContext) -> Version | None:
    """Return the oldest tt-metal that will do, as a step or else the lesson's frontmatter says."""
    wanted = wanted or context.lesson.frontmatter.get("minTTMetalVersion")
    return parse_version(str(wanted)) if wanted else None
