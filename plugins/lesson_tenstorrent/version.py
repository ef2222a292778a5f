"""Find the version of tt-metal on this machine, and judge it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from lesson_runner.execute.python import python_code
from lesson_runner.model import Json
from lesson_runner.plugins.checks import Completed, Finding, FindingStatus, Machine
from lesson_tenstorrent.fixes import fixable
from lesson_tenstorrent.imports import BUILD
from lesson_tenstorrent.metal import Home, find_home, oldest_build_of, parse_version, tag_of, why_git_failed

MINIMUM = "minTTMetalVersion"
"""The key of a lesson's frontmatter."""
FACT = "metal"
"""The key of a run's facts that holds the tt-metal it ran with: ``version`` and ``found_by``."""
FIRST_TTML = Version("0.66.0rc5")
"""The first release with a Python ``ttml``; older ones have tt-train in C++ only."""
LAST_REPEATING = Version("0.66.0rc7")
"""The last release known to generate repetitive text: it mismanages the context (the published lesson)."""
FIRST_GOOD = Version("0.67.0.dev20260203")
"""The first build known to generate as it should. Nothing is known of the versions in between."""
RECOMMENDED = Version("0.67.0")
"""Recommended unless the lesson needs a newer one."""
_ARCHIVED = re.compile(r'fallbackVersion\s+"([^"$]+)"')
_WHEEL = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]  # ignore the current folder
import importlib.metadata
print(importlib.metadata.version('ttnn'))
"""
_PACKAGES = ("tt-metalium", "tt-nn")
"""Debian packages of tt-metal."""
_IMAGE = "TT_METAL_COMMIT_SHA_OR_TAG"


@dataclass(frozen=True, slots=True)
class Found:
    """A version, and where it was read."""

    version: Version
    source: str


def find_version(machine: Machine) -> Found | None:
    """
    Return the version of tt-metal from the first source that has it: the tree, then what is installed.

    A container may have no git, or no tree at all.
    """
    home = find_home(machine)
    for version, source in _sources(machine, home if home and home.exists else None):
        if version is not None:
            return Found(version, source)
    return None


def _sources(machine: Machine, home: Home | None) -> Iterator[tuple[Version | None, str]]:
    if home and home.is_checkout:
        described = _git_describe(machine, home)
        if described.exit_code == 0:
            text = described.output.strip()
            yield parse_version(text), f"git describe: {text}"
    if home:
        for name in ("VERSION", "RELEASE_VERSION"):
            yield parse_version(_read(home, name)), f"the file {name}"
        # `git archive`, which makes a release's archives, writes the output of git describe into this file.
        archived = _ARCHIVED.search(_read(home, "cmake/version.cmake"))
        yield parse_version(archived[1]) if archived else None, "cmake/version.cmake of the archive"
    asked = machine.run(python_code(_WHEEL, python=machine.python))
    if asked.exit_code == 0:
        yield _wheel_version(asked.output), "the installed ttnn package"
    for name in _PACKAGES:
        packaged = machine.run(["dpkg-query", "-W", "-f", "${Version}", name])
        if packaged.exit_code == 0:
            yield parse_version(packaged.output), f"the Debian package {name}"
    # Images of tt-inference-server say what they were built from; a commit is not a version.
    yield parse_version(machine.environ.get(_IMAGE, "")), f"the variable {_IMAGE}"


def _git_describe(machine: Machine, home: Home) -> Completed:
    return machine.run(["git", "-C", str(home.path), "describe", "--tags"])


def _read(home: Home, name: str) -> str:
    try:
        return (home.path / name).read_text(encoding="utf-8", errors="replace")[:10_000]
    except OSError:
        return ""


def _wheel_version(text: str) -> Version | None:
    """Return a wheel's version: setup.py writes the number of commits after a tag as ``TAG.devCOUNT``."""
    version = parse_version(text)
    if version is not None and version.dev is not None and version.dev < 20_000_101:  # a count, not a date
        return Version(version.base_version)
    return version


def minimum_of(lesson: Json) -> Version | None:
    """Return the oldest tt-metal that a lesson works with, or ``None`` if the lesson does not say."""
    return parse_version(str(lesson.get(MINIMUM) or ""))


def judge(version: Version, minimum: Version | None) -> tuple[FindingStatus, str]:
    """Return whether a version suits a lesson that needs ``minimum``, and what is known about it."""
    if version < FIRST_TTML:
        return "failed", "it has no Python ttml, which was added in v0.66.0-rc5"
    known = ""
    if version <= LAST_REPEATING:
        known = "it trains, but its text repeats itself"
    elif version < FIRST_GOOD:
        known = (
            f"not known whether its text repeats itself; the first known good build is {tag_of(FIRST_GOOD)}"
        )
    if minimum is not None and version < oldest_build_of(minimum):
        return "failed", known
    return ("warning" if known else "ok"), known


def check_version(machine: Machine) -> Finding:
    """Compare the version of tt-metal with what ``ttml`` and the lesson need."""
    minimum = minimum_of(machine.lesson)
    wanted = max(RECOMMENDED, minimum) if minimum else RECOMMENDED
    asked = f" (the lesson: {MINIMUM} {tag_of(minimum)})" if minimum else ""
    expected = f"{tag_of(wanted)} or newer{asked}"
    home, found = find_home(machine), find_version(machine)
    if found is None:
        return _unknown(machine, home, expected)
    status, known = judge(found.version, minimum)
    text = f"{tag_of(found.version)} ({found.source})" + (f"; {known}" if known else "")
    facts = {FACT: {"version": tag_of(found.version), "found_by": found.source}}
    if status == "ok":
        return Finding("ok", text, expected, facts=facts)
    # A tree that is not a checkout may be inside another repository, where nothing must be checked out.
    checkout = home and home.exists and home.is_checkout
    tree = shlex.quote(str(home.path)) if home and checkout else "/path/to/your/tt-metal"
    fix = (
        f"cd {tree} && git fetch --tags && git checkout {tag_of(wanted)} && "
        f"git submodule update --init --recursive && {BUILD}"
    )
    return Finding(status, text, expected, fix, facts=facts)


def _unknown(machine: Machine, home: Home | None, expected: str) -> Finding:
    """Return the finding for an unknown version: never ``ok``, because it cannot be certified."""
    found = "not known, so it cannot be certified: no tag, version file or package has it"
    if home and home.exists and home.is_checkout:
        described = _git_describe(machine, home)
        if described.exit_code in (124, 127) or "dubious ownership" in described.errors:
            reason, fix = why_git_failed(described, home)
            return Finding("warning", f"not known, so it cannot be certified: {reason}", expected, fix)
        command = ["git", "-C", str(home.path), "fetch", "--tags"]
        if (home.path / ".git" / "shallow").exists():
            fix = f"{shlex.join(command)} --unshallow  # fetches the whole history, which is large"
            return Finding("warning", f"{found}; the checkout is shallow", expected, fix)
        return fixable("warning", found, expected, command)
    fix = "export TT_METAL_HOME=/path/to/your/tt-metal  # a git checkout, which has its version"
    return Finding("warning", found, expected, fix)
