"""The rules for lessons for Tenstorrent hardware."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files

from packaging.version import Version

from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_tenstorrent.metal import TAG, oldest_build_of, parse_version

METAL_VERSIONS = "tenstorrent.metal-versions"
MINIMUM, RECOMMENDED = "minTTMetalVersion", "recommended_metal_version"
_BEGINS = re.compile(r"v?\d+\.\d+")
"""The pattern that the frontmatter's schema requires."""


def check_metal_versions(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all
    """Yield versions that tt-metal cannot have, and a recommended version older than the minimum."""
    versions: dict[str, Version] = {}
    for key in (MINIMUM, RECOMMENDED):
        text = lesson.frontmatter.get(key)
        if not isinstance(text, str) or not _BEGINS.match(text):  # absent, or reported by the schema
            continue
        version = parse_version(text) if TAG.fullmatch(text.strip()) else None
        if version is None:
            message = f"'{key}' is {text!r}, which is not a tt-metal version"
            fix = "write a version as tt-metal tags it: v0.67.0, v0.66.0-rc7 or v0.67.0-dev20260203"
            yield Diagnostic(METAL_VERSIONS, "error", message, _place(lesson, key), fix)
        else:
            versions[key] = version
    if len(versions) == 2 and versions[RECOMMENDED] < oldest_build_of(versions[MINIMUM]):
        found, minimum = lesson.frontmatter[RECOMMENDED], lesson.frontmatter[MINIMUM]
        message = f"'{RECOMMENDED}' is {found}, which is older than '{MINIMUM}', {minimum}"
        fix = "recommend the minimum version, or a newer one"
        yield Diagnostic(METAL_VERSIONS, "error", message, _place(lesson, RECOMMENDED), fix)


def _place(lesson: Lesson, key: str) -> Location:
    return lesson.positions.get((key,), Location(lesson.path, 1))


RULES = (
    Rule(
        METAL_VERSIONS,
        "error",
        "tt-metal versions that cannot exist, or that contradict each other.",
        (files("lesson_tenstorrent") / "pages" / "metal-versions.md").read_text("utf-8").strip(),
        check_metal_versions,
    ),
)
