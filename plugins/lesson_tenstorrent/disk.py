"""Check that there is enough disk space for what lessons write."""

from __future__ import annotations

import shutil
from functools import partial

from lesson_runner.plugins.checks import Check, Finding, Machine

BOARD_DISK_GB = 5.0
"""For a tt-metal build and four checkpoints (the published ct4 lesson)."""
EMULATED_DISK_GB = 1.0
"""For four stages of the full model with the optimizer's state, 65 MB each, and the steps they share."""


def check_disk(machine: Machine, wanted: float | None = None) -> Finding:
    """
    Check the free space where the workspace is, or will be.

    Args:
        machine: the machine to check.
        wanted: in units of 10^9 bytes; ``None`` for what the lessons need at most.
    """
    if wanted is None:
        wanted = BOARD_DISK_GB if machine.wants_board else EMULATED_DISK_GB
    place = machine.workspace.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    found, expected = f"{free:.1f} GB free in {place}", f"{wanted:g} GB"
    if free >= wanted:
        return Finding("ok", found, expected)
    return Finding(
        "failed", found, expected, "free some space, or use a workspace on another disk: --workspace FOLDER"
    )


def disk_check(wanted: float | None = None) -> Check:
    """Return the check for a lesson that needs ``wanted`` units of 10^9 bytes."""
    why = "a run that cannot save its result is lost"
    return Check("disk", "disk space", why, partial(check_disk, wanted=wanted))
