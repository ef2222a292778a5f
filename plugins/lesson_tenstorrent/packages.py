"""Checks whether Python packages are there, without importing them: a package's code is not ours to run."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from functools import partial

from packaging.requirements import InvalidRequirement, Requirement

from lesson_runner.plugins.checks import Check, Finding, Machine
from lesson_tenstorrent.fixes import install_module, mendable, pip


def read_requirement(text: str) -> Requirement | None:
    """Return what ``pip install`` would look for; ``None`` for a path, a URL or an option."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    return None if requirement.url else requirement


def package_check(text: str) -> Check:
    """Return a check whether a package is installed, by its name or a requirement such as ``numpy<2``."""
    why = "the lesson asks for it; this runner does not need it"
    return Check(f"package-{text}", text, why, partial(_installed, text))


def _installed(text: str, machine: Machine) -> Finding:
    requirement = read_requirement(text)
    if requirement is None:
        return Finding("failed", "not the name of a package", "a name, such as numpy, or numpy<2")
    command = pip(machine, "install", text)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return mendable("warning", "not installed", text, command)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding("ok", version, text)
    return mendable("warning", version, text, command)


def import_check(name: str) -> Check:
    """Return a check whether a module can be found."""
    why = "the lesson imports it; this runner does not need it"
    return Check(f"import-{name}", f"import {name}", why, partial(_findable, name))


def _findable(name: str, machine: Machine) -> Finding:
    top = name.partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is None:
        return install_module("warning", "there is no such module", f"import {name} works", machine, top)
    places = list(spec.submodule_search_locations or [])
    return Finding("ok", (places or [spec.origin or "built in"])[0], f"import {name} works")
