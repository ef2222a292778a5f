"""
The checks of this plugin: each has a function, and an entry here.

A fault may cause those below it, so fix them from the top.
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
    Check("python", "Python", "lesson-runner and ttml need this version", check_python),
    Check("packages", "packages", "training cannot start without them", check_packages),
    disk_check(),
    Check(
        "unrelated-ttml",
        "ttml from PyPI",
        "import ttml would give a library that has nothing to do with training on a device",
        check_unrelated_ttml,
    ),
    Check("devices", "devices", "lessons train on them", check_devices),
    Check(
        "device-busy",
        "devices are free",
        "a board belongs to one process: a second process hangs when it opens the board",
        check_busy,
        board_only=True,
    ),
    Check(
        "tt-metal-home",
        "tt-metal",
        "training reads kernels and configuration from this tree",
        check_home,
        board_only=True,
    ),
    Check(
        "tt-metal-version",
        "tt-metal version",
        "older versions have no Python ttml, or train but generate text that repeats itself",
        check_version,
        board_only=True,
        asked_by=MINIMUM,
    ),
    Check(
        "submodules",
        "submodules",
        "with submodules at other commits, the build fails with errors such as unknown type name 'ChipId'",
        check_submodules,
        board_only=True,
    ),
    Check(
        "metal-variables",
        "tt-metal variables",
        "with two trees, programs run kernels of the wrong one; with the wrong architecture, nothing runs",
        check_metal_variables,
        board_only=True,
    ),
    Check(
        "environment-variables",
        "environment variables",
        "through these, Python finds ttnn and ttml, and they find their libraries",
        check_variables,
        board_only=True,
    ),
    Check(
        "mesh-descriptor",
        "mesh graph descriptor",
        "without it, training on 2 or 4 Blackhole chips times out on the fabric's routers; 1 chip needs none",
        check_mesh_descriptor,
        board_only=True,
    ),
    Check(
        "pip-ttnn",
        "ttnn from pip",
        "the wheel is incompatible with a built tree: import ttml fails with 'undefined symbol'",
        check_pip_ttnn,
        board_only=True,
    ),
    Check(
        "ttnn-packages",
        "packages of ttnn",
        "ttnn was built against these versions: with numpy 2, for example, its import or its arrays fail",
        check_ttnn_packages,
        board_only=True,
    ),
    Check("ttnn", "import ttnn", "every tensor on the device is a ttnn tensor", check_ttnn, board_only=True),
    Check(
        "ttml-build",
        "ttml is built",
        "the Python part of ttml needs the part that is compiled with the tree",
        check_ttml_build,
        board_only=True,
    ),
    Check("ttml", "import ttml", "all training and generating uses it", check_ttml, board_only=True),
)
CHECKS_BY_ID = {check.id: check for check in CHECKS}
"""The checks that a step can select."""
