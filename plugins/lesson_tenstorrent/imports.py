"""Check that ``ttnn`` and ``ttml`` import, and find the fix if they do not."""

from __future__ import annotations

import shlex

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.fixes import fixable, install_module, pip
from lesson_tenstorrent.metal import Home, find_home
from lesson_tenstorrent.probe import Probe, probe

BUILD = "./build_metal.sh --build-tt-train"
TTML_FOLDERS = ("tt-train/sources/ttml", "build/tt-train/sources/ttml")
"""Where the Python part of ``ttml`` and the compiled part are after a build, below the tree."""


def check_ttnn(machine: Machine) -> Finding:
    """Import ``ttnn``."""
    return check_import("ttnn", machine)


def check_ttml(machine: Machine) -> Finding:
    """Import ``ttml``."""
    return check_import("ttml", machine)


def check_import(name: str, machine: Machine) -> Finding:
    """Import a package; if that fails, explain the error."""
    found = probe(name, machine, load=True)
    expected = f"import {name} works in {machine.python}"
    if not found.error:
        return Finding("ok", found.place, expected)
    home = find_home(machine)
    if "undefined symbol" in found.error:
        return _undefined_symbol(found, expected, machine, home)
    if "bad_cast" in found.error:
        return _bad_cast(found, expected, machine, home)
    if found.missing:
        return _missing(found, expected, machine, home)
    fix = f"{shlex.join([machine.python, '-c', f'import {name}'])}  # read the whole message"
    return Finding("failed", found.error, expected, fix)


def _undefined_symbol(found: Probe, expected: str, machine: Machine, home: Home | None) -> Finding:
    """Explain an undefined symbol: a module loaded a library of another build, from pip or an older one."""
    text = f"{found.error}: libraries of two different builds are mixed"
    if version := probe("ttnn", machine, load=False).version:
        text += f"; ttnn {version} from pip is one of them"
        return fixable("failed", text, expected, pip(machine, "uninstall", "-y", "ttnn"))
    tree = home.path if home else "$TT_METAL_HOME"
    return Finding(
        "failed",
        text,
        expected,
        f"export LD_LIBRARY_PATH={tree}/build/lib:$LD_LIBRARY_PATH; if the error stays: {rebuild(home)}",
    )


def _bad_cast(found: Probe, expected: str, machine: Machine, home: Home | None) -> Finding:
    """
    Explain ``std::bad_cast``.

    ``_ttnn`` and ``_ttml`` share the types that nanobind registers only if the same build made both. A
    ``ttnn`` from pip has its own types, and so does one that was built before tt-train was enabled.
    """
    text = f"{found.error}: ttnn was not built together with ttml, so they do not share their types"
    if probe("ttnn", machine, load=False).version:
        return fixable("failed", text, expected, pip(machine, "uninstall", "-y", "ttnn"), f"{rebuild(home)}")
    return Finding("failed", text, expected, rebuild(home, clean=True))


def _missing(found: Probe, expected: str, machine: Machine, home: Home | None) -> Finding:
    if found.missing not in ("ttnn", "ttml", "_ttnn", "_ttml"):
        text = f"{found.error}: {found.name} imports it"
        return install_module("failed", text, expected, machine, found.missing)
    if home and home.exists:
        folders = [home.path / name for name in TTML_FOLDERS]
        if found.name == "ttml" and all(folder.is_dir() for folder in folders):
            added = ":".join(map(str, folders))
            return Finding("failed", found.error, expected, f"export PYTHONPATH={added}:$PYTHONPATH")
        activate = home.path / "python_env" / "bin" / "activate"
        if found.name == "ttnn" and activate.is_file() and not machine.python.startswith(str(home.path)):
            fix = f"source {activate}  # then install lesson-runner there: ttnn belongs to that Python"
            return Finding("failed", found.error, expected, fix)
    return Finding("failed", found.error, expected, rebuild(home))


def rebuild(home: Home | None, *, clean: bool = False) -> str:
    """Return the command that builds a tree with ``ttml``; it takes an hour, so the user has to start it."""
    tree = shlex.quote(str(home.path)) if home and home.exists else "/path/to/your/tt-metal"
    return f"cd {tree} && {'./build_metal.sh --clean && ' if clean else ''}{BUILD}"
