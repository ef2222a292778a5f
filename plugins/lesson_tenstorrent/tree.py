"""Checks of a tt-metal tree and of the variables that point at it. They look, and change nothing."""

from __future__ import annotations

from lesson_tenstorrent.checks import Check, Finding, Machine
from lesson_tenstorrent.environment import check_home
from lesson_tenstorrent.metal import find_home

UPDATE = "git submodule update --init --recursive --force"
STATUS_SECONDS = 60.0
"""A tree has many submodules, and a cold disk is slow."""
STATES = {"-": "not there", "+": "at another commit", "U": "in conflict"}
"""What the first character of a line of ``git submodule status`` says; a blank says that all is well."""


def check_submodules(machine: Machine) -> Finding:
    """Ask git whether the tree's submodules are at the commits that the tree wants."""
    expected = "every submodule at the commit that the tree wants"
    home = find_home(machine)
    if home is None or not home.exists:
        return check_home(machine)
    done = machine.run(
        ["git", "-C", str(home.path), "submodule", "status", "--recursive"], timeout=STATUS_SECONDS
    )
    if done.exit_code:
        said = (done.errors.strip().splitlines() or [f"git ended with {done.exit_code}"])[-1]
        return Finding("warning", f"not known: {said}", expected, f"cd {home.path} && git submodule status")
    wrong = [row for row in done.output.splitlines() if row[:1] in STATES]
    if not wrong:
        return Finding("ok", f"{len(done.output.splitlines())} submodules in {home.path}", expected)
    name = wrong[0].split()[1]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    found = f"{name} is {STATES[wrong[0][0]]}{more}"
    return Finding("failed", found, expected, f"cd {home.path} && {UPDATE}")


def check_variables(machine: Machine) -> Finding:
    """Look at the variables by which Python and the loader find what was built in the tree."""
    home = find_home(machine)
    found = check_home(machine)
    if home is None or found.status == "failed":
        return found
    expected = "TT_METAL_HOME is a tree; PYTHONPATH and LD_LIBRARY_PATH lead into it"
    exports = {"PYTHONPATH": "build_Release", "LD_LIBRARY_PATH": "build/lib"}
    without = [name for name in exports if str(home.path) not in machine.environ.get(name, "")]
    if not without:
        return Finding("ok", found.found, expected)
    fix = "; ".join(f"export {name}={home.path}/{exports[name]}:${name}" for name in without)
    return Finding("warning", f"{' and '.join(without)} not set to a folder of {home.path}", expected, fix)


SUBMODULES = Check(
    "submodules",
    "submodules",
    "building with submodules of another commit fails with errors such as unknown type name 'ChipId'",
    check_submodules,
    board_only=True,
)
VARIABLES = Check(
    "environment-variables",
    "environment variables",
    "Python finds ttnn and ttml, and they find their libraries, through these",
    check_variables,
    board_only=True,
)
