"""Checks of ``ttml``, the training library that is built with a tt-metal tree, and of a ``ttnn`` from pip."""

from __future__ import annotations

import importlib.metadata

from packaging.requirements import InvalidRequirement, Requirement

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.fixes import mendable, pip
from lesson_tenstorrent.imports import TTML_FOLDERS, rebuild
from lesson_tenstorrent.metal import find_home
from lesson_tenstorrent.probe import Probe, not_known, probe

TTML_PARTS = frozenset({"autograd", "common", "models", "modules"})
"""Folders of tt-train's ``ttml`` in all versions; the unrelated package on PyPI has none of them."""
NATIVE = "_ttml"


def _is_ours(found: Probe) -> bool:
    return any(item.startswith(NATIVE) for item in found.inside) or bool(TTML_PARTS & set(found.inside))


def check_unrelated_ttml(machine: Machine) -> Finding:
    """Look whether ``ttml`` is the package of that name on PyPI, which is about something else."""
    found = probe("ttml", machine, load=False)
    expected = "tt-train's ttml, or none"
    if found.error:
        return not_known(found, expected, machine)
    if not found.place:
        return Finding("ok", "none installed", expected)
    if _is_ours(found):
        return Finding("ok", f"tt-train's, in {found.place}", expected)
    if not found.version:
        fix = "rename it, or take the folder that it is in out of PYTHONPATH"
        return Finding("failed", f"{found.place} is not tt-train's, nor did pip install it", expected, fix)
    what = f"{found.place} is not tt-train's: it is the tensor-train package of that name on PyPI"
    return mendable("failed", what, expected, pip(machine, "uninstall", "-y", "ttml"))


def check_ttml_build(machine: Machine) -> Finding:
    """Look whether the compiled part of ``ttml`` is there beside its Python part."""
    found = probe("ttml", machine, load=False)
    expected = f"{NATIVE}, the compiled part, beside the Python part"
    if found.error:
        return not_known(found, expected, machine)
    if not found.place or not _is_ours(found):
        return Finding("skipped", "ttml is not here at all")
    if any(item.startswith(f"{NATIVE}.") and item.endswith(".so") for item in found.inside):
        return Finding("ok", f"in {found.place}", expected)
    alone = probe(NATIVE, machine, load=False).place
    if alone:
        return Finding("ok", alone, expected)
    home = find_home(machine)
    built = home.path / TTML_FOLDERS[1] if home else None
    if built and any(built.glob(f"{NATIVE}*.so")):
        fix = f"export PYTHONPATH={built}:$PYTHONPATH"
        return Finding("failed", f"it is in {built}, where Python does not look", expected, fix)
    text = f"the Python part is in {found.place}, and {NATIVE} nowhere: tt-train was not built"
    return Finding("failed", text, expected, rebuild(home))


def check_pip_ttnn(machine: Machine) -> Finding:
    """Look for a ``ttnn`` from pip beside a tree that was built."""
    home = find_home(machine)
    built = home is not None and any((home.path / name).is_dir() for name in ("build", "build_Release"))
    expected = "ttnn from the tree alone"
    if not built:
        return Finding("ok", "no built tree that it could hide", expected)
    found = probe("ttnn", machine, load=False)
    if found.error:
        return not_known(found, expected, machine)
    if version := found.version:
        command = pip(machine, "uninstall", "-y", "ttnn")
        return mendable("failed", f"ttnn {version} from pip", expected, command)
    return Finding("ok", "none", expected)


def check_ttnn_packages(machine: Machine) -> Finding:
    """Compare what a ``ttnn`` from pip asks for, such as ``numpy<2``, with what is installed."""
    found = probe("ttnn", machine, load=False)
    if found.error:
        return not_known(found, "what ttnn asks for", machine)
    if not found.version:
        return Finding("skipped", "no ttnn from pip")
    expected = f"what ttnn {found.version} asks for"
    wrong = [(item, version) for item in _wanted(found) if (version := _unmet(item)) is not None]
    if not wrong:
        return Finding("ok", "all there", expected)
    text = ", ".join(f"{item.name} {version or 'not installed'}" for item, version in wrong)
    wanted = [f"{item.name}{item.specifier}" for item, _ in wrong]
    return mendable("failed", text, f"{', '.join(wanted)} ({expected})", pip(machine, "install", *wanted))


def _wanted(found: Probe) -> list[Requirement]:
    wanted = []
    for text in found.requires:
        try:
            item = Requirement(text)
        except InvalidRequirement:
            continue
        if item.marker is None or item.marker.evaluate({"extra": ""}):
            wanted.append(item)
    return wanted


def _unmet(item: Requirement) -> str | None:
    """Return the version that does not do, empty if there is none; ``None`` if all is well."""
    try:
        version = importlib.metadata.version(item.name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return None if item.specifier.contains(version, prereleases=True) else version
