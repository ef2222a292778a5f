"""All checks of the setup lesson; a fault may cause those below it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from lesson_runner.plugins import Check, Finding, Machine
from lesson_setup.checks.board import check_device_files, check_driver, check_huge_pages, check_tt_smi
from lesson_setup.checks.system import MEMORY_GB, check_memory
from lesson_tenstorrent.disk import disk_check
from lesson_tenstorrent.hardware.places import Places
from lesson_tenstorrent.table import CHECKS_BY_ID
from lesson_tenstorrent.version import MINIMUM, check_version


def own_checks(places: Places, memory_gb: float = MEMORY_GB) -> tuple[Check, ...]:
    """
    Return the checks that this plugin adds.

    Args:
        places: folders of the system.
        memory_gb: memory needed, in units of 10^9 bytes.
    """
    return (
        Check(
            "memory",
            "memory",
            "the system kills programs that need more than there is",
            partial(check_memory, places, wanted=memory_gb),
        ),
        Check("driver", "driver", "without it, no program finds the board", partial(check_driver, places)),
        Check(
            "device-files",
            "device files",
            "a program without permission to open them reports that there is no board",
            partial(check_device_files, places),
            board_only=True,
        ),
        Check(
            "huge-pages",
            "huge pages",
            "without an IOMMU, board and machine exchange data through them",
            partial(check_huge_pages, places),
            board_only=True,
        ),
        Check(
            "tt-smi",
            "tt-smi",
            "it shows temperature and firmware, and resets a board that hangs",
            check_tt_smi,
            board_only=True,
        ),
    )


def all_checks(
    places: Places, memory_gb: float = MEMORY_GB, disk_gb: float | None = None, metal: str = ""
) -> tuple[Check, ...]:
    """
    Return the checks of the lesson: this plugin's own, and those of ``lesson_tenstorrent`` that concern ttnn.

    Args:
        places: folders of the system.
        memory_gb: memory needed, in units of 10^9 bytes.
        disk_gb: free space needed, in the same units; ``None`` for what any lesson needs.
        metal: the oldest tt-metal that is recent enough; empty for the one in the lesson's frontmatter.
    """
    changed = [*own_checks(places, memory_gb), disk_check(disk_gb)]
    if metal:
        changed.append(replace(CHECKS_BY_ID["tt-metal-version"], run=partial(_check_metal, metal)))
    known = {**CHECKS_BY_ID, **{check.id: check for check in changed}}
    return tuple(known[name] for name in IDS)


def _check_metal(minimum: str, machine: Machine) -> Finding:
    """Compare tt-metal's version with a minimum that a step asks for."""
    return check_version(replace(machine, lesson={**machine.lesson, MINIMUM: minimum}))


IDS = (
    "python",
    "packages",
    "disk",
    "memory",
    "devices",
    "driver",
    "device-files",
    "huge-pages",
    "tt-smi",
    "tt-metal-home",
    "tt-metal-version",
    "metal-variables",
    "pip-ttnn",
    "ttnn",
    "unrelated-ttml",
)
