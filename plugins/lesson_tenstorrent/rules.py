"""The rules for lessons for Tenstorrent hardware."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files

from packaging.version import Version

from lesson_runner.document.command_links import read_command
from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.targets import Nearest
from lesson_tenstorrent.links.table import PREFIX, table
from lesson_tenstorrent.metal import TAG, oldest_build_of, parse_version

METAL_VERSIONS = "tenstorrent.metal-versions"
UNKNOWN_COMMAND = "tenstorrent.unknown-command"
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


def check_commands(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield links to commands of the extension that do nothing when the reader clicks them."""
    suggest = Nearest()
    for link in lesson.links:
        scheme, _, text = link.target.strip().partition(":")
        read = read_command(text)
        if scheme.lower() != "command" or not read.command.startswith(PREFIX) or read.problem:
            continue  # the rule `command-link` reports arguments that are not JSON
        commands = table().commands
        command, fix = commands.get(read.command), None
        if command is None:
            message = f"the extension has no command '{read.command}'"
            if near := suggest.name(read.command, commands):
                fix = f"did you mean '{near}'?"
        elif command.shows_nothing:
            message = f"'{read.command}' does nothing: it shows {command.shows}"
        elif problem := command.problem(read):
            message = f"'{read.command}' does nothing: {problem}"
        else:
            continue
        yield Diagnostic(UNKNOWN_COMMAND, "warning", message, link.location, fix)


def _place(lesson: Lesson, key: str) -> Location:
    return lesson.positions.get((key,), Location(lesson.path, 1))


def _page(name: str) -> str:
    return (files("lesson_tenstorrent") / "pages" / f"{name}.md").read_text("utf-8").strip()


RULES = (
    Rule(
        METAL_VERSIONS,
        "error",
        "tt-metal versions that cannot exist, or that contradict each other.",
        _page("metal-versions"),
        check_metal_versions,
    ),
    Rule(
        UNKNOWN_COMMAND,
        "warning",
        "A link to a command that Tenstorrent's VS Code extension does not have.",
        _page("unknown-command"),
        check_commands,
    ),
)
