"""``lesson list`` and ``lesson show``: list the lessons, or show one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from lesson_runner.cli.common import JsonOption, LessonArgument, make_console, open_lesson, print_json
from lesson_runner.cli.output import say

if TYPE_CHECKING:
    from lesson_runner.model import Lesson
    from lesson_runner.plugins.manager import Plugins


def list_lessons(context: typer.Context, json: JsonOption = False) -> None:
    """List the lessons that plugins provide."""
    from lesson_runner.plugins.catalog import lessons

    plugins: Plugins = context.obj
    found = lessons(plugins)
    if json:
        print_json(
            [
                {"id": entry.id, "title": entry.title, "path": str(entry.path), "plugin": entry.origin}
                for entry in found
            ]
        )
        return
    width = max((len(entry.id) for entry in found), default=0)
    for entry in found:
        say(f"{entry.id:{width}}  {entry.title}")
    if not found:
        say("No plugin provides a lesson. Run a lesson by its path: lesson run FILE.md")


def show(context: typer.Context, lesson: LessonArgument, json: JsonOption = False) -> None:
    """Show what a lesson teaches, its hardware, profiles and steps."""
    from rich.text import Text

    from lesson_runner.report.text import line

    plugins: Plugins = context.obj
    document, problems, _ = open_lesson(lesson, plugins)
    steps = [{"id": step.id, "title": step.title, "line": step.location.line} for step in document.steps]
    if json:
        data = {"path": str(document.path), "sha256": document.digest, "frontmatter": document.frontmatter}
        print_json({**data, "steps": steps, "errors": sum(item.severity == "error" for item in problems)})
        return
    console = make_console()
    errors = sum(item.severity == "error" for item in problems)
    console.print(Text(line(document.title), "bold"))
    for text in [] if errors else _about(document):  # in an invalid lesson, any value may have any type
        console.print(text)
    console.print()
    console.print(Text("Steps", "bold"))
    for item in steps:
        console.print(f"  {line(item['id'])}: {line(item['title'])} (line {item['line']})")
    if errors:
        counted = f"{errors} error{'' if errors == 1 else 's'}"
        console.print()
        console.print(Text(f"{counted}; see: lesson validate {lesson}", "red"))


def _about(document: Lesson) -> Iterator[str]:
    """Yield lines about the frontmatter of a valid lesson."""
    from lesson_runner.report.text import block

    front = document.frontmatter
    if "description" in front:
        yield from (*block(front["description"].strip(), "  ").split("\n"), "")
    for label, key in (("Hardware", "supportedHardware"), ("Validated on", "validatedOn"), ("Tags", "tags")):
        if front.get(key):
            yield f"{label}: {', '.join(front[key])}"
    if "minTTMetalVersion" in front:
        yield f"tt-metal: {front['minTTMetalVersion']} or later"
    for name, profile in document.runner.get("profiles", {}).items():
        yield f"Profile {name}: {profile['summary']}"
