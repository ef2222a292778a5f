"""Check a tt-metal tree and the variables that name it, without changing anything."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.fixes import fixable
from lesson_tenstorrent.imports import BUILD
from lesson_tenstorrent.metal import HOME_VARIABLES, find_home, named_tree, why_git_failed
from lesson_tenstorrent.probe import probe

STATUS_SECONDS = 60.0
"""A tree has many submodules, and a cold disk is slow."""
STATES = {"-": "not checked out", "+": "at another commit", "U": "in conflict"}
"""Meaning of the first character of a line of ``git submodule status``; a blank means that all is well."""
ARCHITECTURE = "TT_METAL_ARCH_NAME"


def check_home(machine: Machine) -> Finding:
    """Look for the tt-metal tree."""
    expected = "a tt-metal tree, named by TT_METAL_HOME"
    home = find_home(machine)
    if home is None:
        fix = "export TT_METAL_HOME=/path/to/your/tt-metal"
        return Finding("failed", "TT_METAL_HOME is not set and ~/tt-metal does not exist", expected, fix)
    if not home.exists:
        fix = f"export {home.source}=/path/to/your/tt-metal"
        found = f"{home.source}={home.path}, which is not a tt-metal tree"
        return Finding("failed", found, expected, fix)
    return Finding("ok", f"{home.path} ({home.source})", expected)


def check_submodules(machine: Machine) -> Finding:
    """Check that git has every submodule at the commit that the tree records."""
    expected = "every submodule at the commit that the tree records"
    home = find_home(machine)
    if home is None or not home.exists:
        return check_home(machine)
    if not home.is_checkout:
        found = f"not known: {home.path} is not a git checkout"
        return Finding(
            "warning", found, expected, "clone tt-metal with git clone --recursive, and build that"
        )
    done = machine.run(
        ["git", "-C", str(home.path), "submodule", "status", "--recursive"], timeout=STATUS_SECONDS
    )
    if done.exit_code:
        reason, fix = why_git_failed(done, home)
        return Finding("warning", f"not known: {reason}", expected, fix)
    rows = done.output.splitlines()
    wrong = [row for row in rows if row[:1] in STATES]
    if not wrong:
        return Finding("ok", f"{len(rows)} submodule{'s' if len(rows) != 1 else ''} in {home.path}", expected)
    name = wrong[0].split()[1]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    found = f"{name} is {STATES[wrong[0][0]]}{more}"
    if any(row.startswith("U") for row in wrong):
        return Finding("failed", found, expected, f"resolve the conflict: git -C {home.path} status")
    # The published lesson adds --force, which discards all changes in a submodule.
    command = ["git", "-C", str(home.path), "submodule", "update", "--init", "--recursive"]
    return fixable("failed", found, expected, command, f"build again: {BUILD}")


def check_metal_variables(machine: Machine) -> Finding:
    """Check that tt-metal's variables are set, and agree with each other and with the board."""
    expected = f"{' and '.join(HOME_VARIABLES)} name the same tree"
    trees = {name: named_tree(name, machine) for name in HOME_VARIABLES}
    found = ", ".join(f"{name}={path}" if path else f"{name} is not set" for name, path in trees.items())
    named = [path for path in trees.values() if path]
    if len({path.resolve() for path in named}) > 1:
        return Finding("failed", found, expected, f"export {HOME_VARIABLES[1]}=${HOME_VARIABLES[0]}")
    if wrong := _wrong_architecture(machine):
        return wrong
    if len(named) < len(trees):
        home = find_home(machine)
        value = home.path if home else "/path/to/your/tt-metal"
        fix = "; ".join(f"export {name}={value}" for name, path in trees.items() if not path)
        return Finding("warning", found, expected, fix)
    return Finding("ok", found, expected)


def architectures(machine: Machine) -> set[str]:
    """Return the known architectures of the boards, such as ``blackhole``."""
    facts = [item.facts.get("architecture") or {} for item in machine.hardware if item.devices]
    # With different boards, one fact names all their architectures.
    return {name for fact in facts for name in str(fact.get("value") or "").split(", ") if name}


def _wrong_architecture(machine: Machine) -> Finding | None:
    name, chips = machine.environ.get(ARCHITECTURE, "").strip(), architectures(machine)
    if not name or not chips or chips == {name.lower()}:
        return None
    is_one = " and ".join(sorted(chips))
    fix = f"export {ARCHITECTURE}={is_one}" if len(chips) == 1 else f"unset {ARCHITECTURE}"
    return Finding("failed", f"{ARCHITECTURE}={name}, the board is {is_one}", is_one, fix)


def check_variables(machine: Machine) -> Finding:
    """Check that Python and the library loader find what was built in the tree."""
    home, found = find_home(machine), check_home(machine)
    if home is None or found.status == "failed":
        return found
    expected = "PYTHONPATH (or a .pth file) and LD_LIBRARY_PATH contain a folder of the tree"
    tree = home.path.resolve()
    without = []
    searched = probe("ttnn", machine, load=False).path
    if not any(Path(entry).resolve().is_relative_to(tree) for entry in searched):
        without.append("PYTHONPATH")
    libraries = machine.environ.get("LD_LIBRARY_PATH", "").split(":")
    if not any(Path(entry).resolve().is_relative_to(tree) for entry in libraries if entry):
        without.append("LD_LIBRARY_PATH")
    if not without:
        return Finding("ok", f"both contain a folder of {home.path}", expected)
    leads = {"PYTHONPATH": "build_Release", "LD_LIBRARY_PATH": "build/lib"}
    fix = "; ".join(f"export {name}={home.path}/{leads[name]}:${name}" for name in without)
    return Finding("warning", f"{' and '.join(without)} without a folder of {home.path}", expected, fix)
