"""Check ``ttml``, the training library that is built in a tt-metal tree, and a ``ttnn`` from pip."""

from __future__ import annotations

import importlib.metadata

from packaging.requirements import InvalidRequirement, Requirement

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.fixes import fixable, pip
from lesson_tenstorrent.imports import TTML_FOLDERS, rebuild
from lesson_tenstorrent.metal import find_home
from lesson_tenstorrent.probe import Probe, probe, probe_failed

TTML_PARTS = frozenset({"autograd", "common", "models", "modules"})
"""Folders that tt-train's ``ttml`` has in all versions; the unrelated package on PyPI has none of them."""
NATIVE = "_ttml"


def _is_tt_train(found: Probe) -> bool:
    return any(item.startswith(NATIVE) for item in found.inside) or bool(TTML_PARTS & set(found.inside))


def check_unrelated_ttml(machine: Machine) -> Finding:
    """Check that ``ttml`` is not the unrelated package of that name on PyPI."""
    found = probe("ttml", machine, load=False)
    expected = "tt-train's ttml, or no ttml"
    if found.error:
        return probe_failed(found, expected, machine)
    if not found.place:
        return Finding("ok", "none installed", expected)
    if _is_tt_train(found):
        return Finding("ok", f"tt-train's, in {found.place}", expected)
    if not found.version:
        fix = "rename it, or remove its parent folder from PYTHONPATH"
        return Finding(
            "failed", f"{found.place} is not tt-train's, and pip did not install it", expected, fix
        )
    what = f"{found.place} is not tt-train's: it is the tensor-train package of that name on PyPI"
    return fixable("failed", what, expected, pip(machine, "uninstall", "-y", "ttml"))


def check_ttml_build(machine: Machine) -> Finding:
    """Look for the compiled part of ``ttml`` next to its Python part."""
    found = probe("ttml", machine, load=False)
    expected = f"{NATIVE}, the compiled part, next to the Python part"
    if found.error:
        return probe_failed(found, expected, machine)
    if not found.place or not _is_tt_train(found):
        return Finding("skipped", "ttml is not installed")
    if any(item.startswith(f"{NATIVE}.") and item.endswith(".so") for item in found.inside):
        return Finding("ok", f"in {found.place}", expected)
    alone = probe(NATIVE, machine, load=False).place
    if alone:
        return Finding("ok", alone, expected)
    home = find_home(machine)
    built = home.path / TTML_FOLDERS[1] if home else None
    if built and any(built.glob(f"{NATIVE}*.so")):
        fix = f"export PYTHONPATH={built}:$PYTHONPATH"
        return Finding("failed", f"it is in {built}, which is not on Python's path", expected, fix)
    text = f"the Python part is in {found.place}, but {NATIVE} was not found: tt-train was not built"
    return Finding("failed", text, expected, rebuild(home))


def check_pip_ttnn(machine: Machine) -> Finding:
    """Look for a ``ttnn`` from pip in addition to a built tree."""
    home = find_home(machine)
    built = home is not None and any((home.path / name).is_dir() for name in ("build", "build_Release"))
    expected = "only the ttnn of the tree"
    if not built:
        return Finding("ok", "there is no built tree that a ttnn from pip could hide", expected)
    found = probe("ttnn", machine, load=False)
    if found.error:
        return probe_failed(found, expected, machine)
    if version := found.version:
        command = pip(machine, "uninstall", "-y", "ttnn")
        return fixable("failed", f"ttnn {version} from pip", expected, command)
    return Finding("ok", "none", expected)


def check_ttnn_packages(machine: Machine) -> Finding:
    """Compare the requirements of a ``ttnn`` from pip, such as ``numpy<2``, with what is installed."""
    found = probe("ttnn", machine, load=False)
    if found.error:
        return probe_failed(found, "what ttnn requires", machine)
    if not found.version:
        return Finding("skipped", "no ttnn from pip")
    expected = f"what ttnn {found.version} requires"
    wrong = [
        (item, version) for item in _requirements(found) if (version := _unmet_version(item)) is not None
    ]
    if not wrong:
        return Finding("ok", "all installed", expected)
    text = ", ".join(f"{item.name} {version or 'not installed'}" for item, version in wrong)
    wanted = [f"{item.name}{item.specifier}" for item, _ in wrong]
    return fixable("failed", text, f"{', '.join(wanted)} ({expected})", pip(machine, "install", *wanted))


def _requirements(found: Probe) -> list[Requirement]:
    wanted = []
    for text in found.requires:
        try:
            item = Requirement(text)
        except InvalidRequirement:
            continue
        if item.marker is None or item.marker.evaluate({"extra": ""}):
            wanted.append(item)
    return wanted


def _unmet_version(item: Requirement) -> str | None:
    """Return the unsuitable version, empty if not installed; ``None`` if the requirement is met."""
    try:
        version = importlib.metadata.version(item.name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return None if item.specifier.contains(version, prereleases=True) else version
