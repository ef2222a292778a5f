"""
The checks of this plugin: one function and one entry here for each.

They stand in the order in which faults cause one another: mend them from the top.
"""

from __future__ import annotations

from lesson_runner.plugins.checks import Check
from lesson_tenstorrent.busy import check_busy, check_devices
from lesson_tenstorrent.disk import disk_check
from lesson_tenstorrent.imports import check_ttml, check_ttnn
from lesson_tenstorrent.mesh import check_mesh_descriptor
from lesson_tenstorrent.system import check_packages, check_python
from lesson_tenstorrent.tree import check_home, check_metal_variables, check_submodules, check_variables
from lesson_tenstorrent.ttml import (
    check_pip_ttnn,
    check_ttml_build,
    check_ttnn_packages,
    check_unrelated_ttml,
)
from lesson_tenstorrent.version import MINIMUM, check_version

CHECKS = (
    Check("python", "Python", "the runner and ttml are written for it", check_python),
    Check("packages", "packages", "training cannot start without them", check_packages),
    disk_check(),
    Check(
        "unrelated-ttml",
        "ttml from PyPI",
        "import ttml would give a library that has nothing to do with training on a device",
        check_unrelated_ttml,
    ),
    Check("devices", "devices", "the lesson trains on them", check_devices),
    Check(
        "device-busy",
        "devices are free",
        "one process owns the board: a second one hangs when it opens it",
        check_busy,
        board_only=True,
    ),
    Check(
        "tt-metal-home",
        "tt-metal",
        "kernels and configuration are read from the tree while training runs",
        check_home,
        board_only=True,
    ),
    Check(
        "tt-metal-version",
        "tt-metal version",
        "older versions train, but repeat themselves when they generate, or have no Python ttml at all",
        check_version,
        board_only=True,
        asked_by=MINIMUM,
    ),
    Check(
        "submodules",
        "submodules",
        "building with submodules of another commit fails with errors such as unknown type name 'ChipId'",
        check_submodules,
        board_only=True,
    ),
    Check(
        "metal-variables",
        "tt-metal variables",
        "with two trees, programs of the one run kernels of the other; with another architecture, none runs",
        check_metal_variables,
        board_only=True,
    ),
    Check(
        "environment-variables",
        "environment variables",
        "Python finds ttnn and ttml, and they find their libraries, through these",
        check_variables,
        board_only=True,
    ),
    Check(
        "mesh-descriptor",
        "mesh graph descriptor",
        "training on 2 or 4 Blackhole chips waits for the fabric's routers and gives up; one chip needs none",
        check_mesh_descriptor,
        board_only=True,
    ),
    Check(
        "pip-ttnn",
        "ttnn from pip",
        "the wheel and the tree do not fit together: 'undefined symbol' on import ttml",
        check_pip_ttnn,
        board_only=True,
    ),
    Check(
        "ttnn-packages",
        "packages of ttnn",
        "ttnn was built against them: with numpy 2, for example, its import or its arrays break",
        check_ttnn_packages,
        board_only=True,
    ),
    Check("ttnn", "import ttnn", "every tensor on the device goes through it", check_ttnn, board_only=True),
    Check(
        "ttml-build",
        "ttml is built",
        "the Python part of ttml cannot do anything without the part that is compiled with the tree",
        check_ttml_build,
        board_only=True,
    ),
    Check("ttml", "import ttml", "all training and generation goes through it", check_ttml, board_only=True),
)
KNOWN = {check.id: check for check in CHECKS}
"""What the ``checks`` of a step can name."""
