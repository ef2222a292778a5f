"""Checks of every machine: Python, and the packages that lessons need for training."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.fixes import fixable, pip

RUNNER = "lesson-runner"
TRAINING_EXTRA = "ct4"
"""The extra with everything that training on a board needs."""
PYTHON = ">=3.10"
"""What lesson-runner requires, used if its metadata cannot be read."""


def check_python(machine: Machine) -> Finding:
    """Compare Python's version with what lesson-runner requires."""
    found = ".".join(map(str, machine.python_version))
    try:
        wanted = importlib.metadata.metadata(RUNNER)["Requires-Python"] or PYTHON
    except importlib.metadata.PackageNotFoundError:
        wanted = PYTHON
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Finding("ok", found, wanted)
    return Finding(
        "failed",
        found,
        wanted,
        f"run python3 -m venv venv with a Python {wanted}, and install {RUNNER} there",
    )


def requirements(extra: str) -> Iterator[Requirement]:
    """
    Yield the requirements of an extra of lesson-runner, including those of extras that it names.

    Raises:
        PackageNotFoundError: lesson-runner is on the path but not installed.
    """
    for text in importlib.metadata.requires(RUNNER) or ():
        item = Requirement(text)
        if item.marker is None or "extra" not in str(item.marker):
            continue
        if item.marker.evaluate({"extra": extra}):
            if item.name == RUNNER:
                for other in sorted(item.extras):
                    yield from requirements(other)
            else:
                yield item


def training_requirements(machine: Machine) -> Iterator[Requirement]:
    """
    Yield what training needs on this machine; without a board, that includes PyTorch.

    The other requirements of the extra ``cpu`` are for convenience, such as drawing reports.
    """
    yield from requirements(TRAINING_EXTRA)
    if not machine.wants_board:
        yield from (item for item in requirements("cpu") if item.name == "torch")


def installed_version(name: str) -> str | None:
    """Return the version of an installed package, or ``None``."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_packages(machine: Machine, version_of: Callable[[str], str | None] = installed_version) -> Finding:
    """Look for the packages that training needs; without a board, that includes PyTorch."""
    extra = TRAINING_EXTRA if machine.wants_board else "cpu"
    command = pip(machine, "install", f"{RUNNER}[{extra}]")
    try:
        wanted = sorted(training_requirements(machine), key=lambda item: item.name)
    except importlib.metadata.PackageNotFoundError:
        return fixable("warning", f"not known: {RUNNER} is not installed with pip", "", command)
    expected = ", ".join(f"{item.name}{item.specifier}" for item in wanted)
    versions = {item.name: version_of(item.name) for item in wanted}
    if missing := [name for name, version in versions.items() if version is None]:
        return fixable("failed", f"not installed: {', '.join(missing)}", expected, command)
    odd = [
        f"{item.name} {versions[item.name]}"
        for item in wanted
        if not item.specifier.contains(versions[item.name] or "", prereleases=True)
    ]
    if odd:
        return fixable("warning", f"outside the tested range: {', '.join(odd)}", expected, command)
    return Finding("ok", ", ".join(f"{name} {version}" for name, version in versions.items()), expected)
