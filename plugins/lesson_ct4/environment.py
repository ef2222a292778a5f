"""What the ct4 lesson needs of a machine: the generic checks, and those about Python, disk and ``ttml``."""

from __future__ import annotations

import importlib.metadata
import importlib.util

from packaging.version import InvalidVersion, Version

from lesson_tenstorrent.checks import Check, Finding, Machine
from lesson_tenstorrent.disk import DISK
from lesson_tenstorrent.environment import CHECKS as GENERIC
from lesson_tenstorrent.environment import check_version
from lesson_tenstorrent.ttml import TTML, UNRELATED_TTML

MINIMUM_PYTHON = (3, 10)
MINIMUM_METAL = Version("0.67.0")
"""The first version whose generation works (the published lesson, checked on an N150)."""
OLDER_METAL = (
    "v0.66.0-rc5 to rc7 train, but repeat themselves when they generate; before that there is no ttml"
)
TESTED_TORCH = (Version("2.6"), Version("2.14"))
"""The lowest tested version, and the first one beyond the range; as in the extra ``cpu``."""


def check_python(machine: Machine) -> Finding:
    """Compare Python's version."""
    found = ".".join(map(str, machine.python_version))
    expected = ".".join(map(str, MINIMUM_PYTHON)) + " or newer"
    if machine.python_version >= MINIMUM_PYTHON:
        return Finding("ok", found, expected)
    return Finding("failed", found, expected, "python3.10 -m venv venv, and install lesson-runner there")


def package_version(name: str) -> str | None:
    """Return an installed package's version, ``unknown`` if it hides it, ``None`` if there is none."""
    if importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def check_packages(machine: Machine) -> Finding:
    """Look for the packages that training and its checkpoints use."""
    names = ["numpy", "safetensors", "ml_dtypes"]
    extra = "ct4"
    if not machine.wants_board:
        names.append("torch")
        extra = "cpu"
    versions = {name: package_version(name) for name in names}
    expected = ", ".join(names)
    fix = f"pip install 'lesson-runner[{extra}]'"
    if missing := [name for name, version in versions.items() if version is None]:
        return Finding("failed", f"not installed: {', '.join(missing)}", expected, fix)
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    if not machine.wants_board and not torch_is_tested(versions["torch"] or ""):
        low, high = TESTED_TORCH
        return Finding("warning", found, f"torch {low} or newer, below {high} (the tested range)", fix)
    return Finding("ok", found, expected)


def torch_is_tested(version: str) -> bool:
    """Return whether a PyTorch version, such as ``2.13.0+cpu``, is in the tested range."""
    try:
        return TESTED_TORCH[0] <= Version(version) < TESTED_TORCH[1]
    except InvalidVersion:
        return False


def check_metal(machine: Machine) -> Finding:
    """Compare the tree's version with what the lesson needs."""
    return check_version(machine, MINIMUM_METAL, OLDER_METAL)


CHECKS: tuple[Check, ...] = (
    Check("python", "Python", "ttml and this runner are written for it", check_python),
    DISK,
    Check("packages", "packages", "training cannot start without them", check_packages),
    UNRELATED_TTML,
    *GENERIC,
    Check(
        "tt-metal-version",
        "tt-metal version",
        "older versions train, but repeat themselves when they generate, or have no ttml at all",
        check_metal,
        board_only=True,
    ),
    TTML,
)
"""In the order of the table."""
