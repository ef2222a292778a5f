"""Checks of a tt-metal installation: its version, and the variables that point to it."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from lesson_setup.places import Places, find_devices
from lesson_tenstorrent.checks import Finding, Machine
from lesson_tenstorrent.environment import check_version
from lesson_tenstorrent.metal import HOME_VARIABLES, find_home, find_version

ARCHITECTURE = "TT_METAL_ARCH_NAME"


def check_metal_version(minimum: Version | None, machine: Machine) -> Finding:
    """Compare the tree's version with ``minimum``, or only find it out."""
    if minimum is not None:
        return check_version(machine, minimum)
    home = find_home(machine)
    found = find_version(machine, home) if home and home.exists else None
    if found is None:
        return Finding(
            "warning", "not known: no tag, version file or package says", "any", "git fetch --tags"
        )
    return Finding("ok", f"v{found[0]} ({found[1]})", "any")


def check_variables(places: Places, machine: Machine) -> Finding:
    """Look whether the variables that tt-metal reads are set, and do not contradict each other."""
    expected = f"{' and '.join(HOME_VARIABLES)} name one tree"
    trees = {name: machine.environ.get(name, "").strip() for name in HOME_VARIABLES}
    found = ", ".join(f"{name}={value}" if value else f"{name} is not set" for name, value in trees.items())
    named = [value for value in trees.values() if value]
    if len({Path(value).expanduser().resolve() for value in named}) > 1:
        return Finding("failed", found, expected, f"export {HOME_VARIABLES[1]}=${HOME_VARIABLES[0]}")
    if wrong := _wrong_architecture(places, machine):
        return wrong
    if len(named) < len(trees):
        home = find_home(machine)
        value = home.path if home else "/path/to/your/tt-metal"
        fix = "; ".join(f"export {name}={value}" for name, value_ in trees.items() if not value_)
        return Finding("warning", found, expected, fix)
    return Finding("ok", found, expected)


def _wrong_architecture(places: Places, machine: Machine) -> Finding | None:
    name = machine.environ.get(ARCHITECTURE, "").strip()
    chips = {device.architecture for device in find_devices(places)} - {""}
    if not name or not chips or chips == {name.lower()}:
        return None
    is_one = " and ".join(sorted(chips))
    return Finding("failed", f"{ARCHITECTURE}={name}, the board is {is_one}", is_one, f"unset {ARCHITECTURE}")
