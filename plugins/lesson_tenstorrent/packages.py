"""Check that Python packages are installed, without importing them and so running their code."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from functools import partial

from packaging.requirements import InvalidRequirement, Requirement

from lesson_runner.plugins.checks import Check, Finding, Machine
from lesson_tenstorrent.fixes import fixable, install_module, pip


def read_requirement(text: str) -> Requirement | None:
    """Return the requirement in an argument of ``pip install``; ``None`` for a path, a URL or an option."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    return None if requirement.url else requirement


def package_check(text: str) -> Check:
    """Return a check that a package is installed; ``text`` is its name, or a requirement like ``numpy<2``."""
    why = "the lesson asks for it; lesson-runner itself does not need it"
    return Check(f"package-{text}", text, why, partial(_check_installed, text))


def _check_installed(text: str, machine: Machine) -> Finding:
    requirement = read_requirement(text)
    if requirement is None:
        return Finding("failed", "not a package name", "a package name, such as numpy, or numpy<2")
    command = pip(machine, "install", text)
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return fixable("warning", "not installed", text, command)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding("ok", version, text)
    return fixable("warning", version, text, command)


def import_check(name: str) -> Check:
    """Return a check that a module can be found."""
    why = "the lesson imports it; lesson-runner itself does not need it"
    return Check(f"import-{name}", f"import {name}", why, partial(_check_findable, name))


def _check_findable(name: str, machine: Machine) -> Finding:
    top = name.partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is None:
        return install_module("warning", "no such module", f"import {name} works", machine, top)
    places = list(spec.submodule_search_locations or [])
    return Finding("ok", (places or [spec.origin or "built in"])[0], f"import {name} works")
