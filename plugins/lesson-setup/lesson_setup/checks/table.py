"""Every check of the setup lesson, in the order in which faults cause one another."""

from __future__ import annotations

from functools import partial

from packaging.version import Version

from lesson_setup.checks.board import check_device_files, check_driver, check_huge_pages, check_tt_smi
from lesson_setup.checks.metal import check_metal_version, check_variables
from lesson_setup.checks.system import MEMORY_GB, check_memory, check_packages, check_python
from lesson_setup.places import Places
from lesson_tenstorrent.checks import Check
from lesson_tenstorrent.disk import DISK
from lesson_tenstorrent.environment import CHECKS as SHARED
from lesson_tenstorrent.ttml import UNRELATED_TTML


def all_checks(
    places: Places, minimum: Version | None = None, memory_gb: float = MEMORY_GB
) -> tuple[Check, ...]:
    """
    Return the checks.

    Args:
        places: where the system tells about itself.
        minimum: the oldest tt-metal that will do; ``None`` if any will.
        memory_gb: memory wanted, in units of 10^9 bytes.
    """
    shared = {check.id: check for check in SHARED}
    return (
        Check("python", "Python", "the runner and the lessons are written for it", check_python),
        Check("packages", "packages", "training cannot start without them", check_packages),
        DISK,
        Check(
            "memory",
            "memory",
            "the system ends programs that want more than there is",
            partial(check_memory, places, wanted=memory_gb),
        ),
        shared["devices"],
        Check("driver", "driver", "without it, no program finds the board", partial(check_driver, places)),
        Check(
            "device-files",
            "device files",
            "a program that may not open them says that there is no board",
            partial(check_device_files, places),
            board_only=True,
        ),
        Check(
            "huge-pages",
            "huge pages",
            "board and machine exchange data through them where there is no IOMMU",
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
        shared["tt-metal-home"],
        Check(
            "tt-metal-version",
            "tt-metal version",
            "lessons are written for what newer versions can do",
            partial(check_metal_version, minimum),
            board_only=True,
        ),
        Check(
            "metal-variables",
            "tt-metal variables",
            "with two trees, programs of the one run kernels of the other",
            partial(check_variables, places),
            board_only=True,
        ),
        shared["pip-ttnn"],
        shared["ttnn"],
        UNRELATED_TTML,
    )


IDS = tuple(check.id for check in all_checks(Places()))
