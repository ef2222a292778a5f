"""Checks that concern every machine: Python, the packages, disk and memory."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Iterator

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lesson_setup.places import Places, read
from lesson_tenstorrent.checks import Finding, Machine

RUNNER = "lesson-runner"
PYTHON = ">=3.10"
"""What the runner asks for, where its own metadata cannot be read."""
MEMORY_GB = 2.0
"""Twice what a first training took, measured: 0.9 GB for 10.8 million parameters, emulated, on Linux."""


def check_python(machine: Machine) -> Finding:
    """Compare Python's version with what the runner asks for."""
    found = ".".join(map(str, machine.python_version))
    try:
        wanted = importlib.metadata.metadata(RUNNER)["Requires-Python"] or PYTHON
    except importlib.metadata.PackageNotFoundError:
        wanted = PYTHON
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Finding("ok", found, wanted)
    return Finding(
        "failed", found, wanted, f"python3 -m venv venv with a Python {wanted}, and install {RUNNER} there"
    )


def requirements(extra: str) -> Iterator[Requirement]:
    """
    Yield what an extra of the runner asks for, and the extras that it names in turn.

    Raises:
        PackageNotFoundError: the runner is not installed, only on the path.
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


def installed_version(name: str) -> str | None:
    """Return the version of an installed package, or ``None``."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_packages(machine: Machine, version_of: Callable[[str], str | None] = installed_version) -> Finding:
    """Look for the packages that lessons compute with; without a board, PyTorch is one of them."""
    extra = "ct4" if machine.wants_board else "cpu"
    fix = f"pip install '{RUNNER}[{extra}]'"
    try:
        wanted = sorted(requirements(extra), key=lambda item: item.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding("warning", f"not known: {RUNNER} is not installed with pip", "", fix)
    expected = ", ".join(f"{item.name}{item.specifier}" for item in wanted)
    versions = {item.name: version_of(item.name) for item in wanted}
    if missing := [name for name, version in versions.items() if version is None]:
        return Finding("failed", f"not installed: {', '.join(missing)}", expected, fix)
    odd = [
        f"{item.name} {versions[item.name]}"
        for item in wanted
        if not item.specifier.contains(versions[item.name] or "", prereleases=True)
    ]
    if odd:
        return Finding("warning", f"outside the tested range: {', '.join(odd)}", expected, fix)
    return Finding("ok", ", ".join(f"{name} {version}" for name, version in versions.items()), expected)


def check_memory(
    places: Places,
    machine: Machine,  # noqa: ARG001
    wanted: float = MEMORY_GB,
) -> Finding:
    """Compare the memory of the machine, or of the container if that is less."""
    total = memory_bytes(places)
    expected = f"{wanted:g} GB"
    if total is None:
        return Finding("warning", "the system does not say", expected)
    found = f"{total / 1e9:.1f} GB"
    if total >= wanted * 1e9:
        return Finding("ok", found, expected)
    return Finding("warning", found, expected, "choose the profile that is called quick, where there is one")


def memory_bytes(places: Places) -> int | None:
    """Return how much memory there is, or ``None`` if the system does not say."""
    sizes = []
    rows = dict(row.split(":", 1) for row in read(places.proc / "meminfo").splitlines() if ":" in row)
    kilobytes = rows.get("MemTotal", "").split()[:1]
    if kilobytes and kilobytes[0].isdecimal():
        sizes.append(int(kilobytes[0]) * 1024)
    else:  # macOS has no /proc
        try:
            sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (OSError, ValueError):
            return None
    limit = read(places.sys / "fs" / "cgroup" / "memory.max")
    if limit.isdecimal():
        sizes.append(int(limit))
    return min(sizes)
