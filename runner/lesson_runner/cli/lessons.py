"""``lesson list`` and ``lesson show``: which lessons there are, and what is in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from lesson_runner.cli.common import JsonOption, LessonArgument, make_console, open_lesson, print_json

if TYPE_CHECKING:
    from lesson_runner.model import Lesson
    from lesson_runner.plugins import Plugins


def list_lessons(context: typer.Context, json: JsonOption = False) -> None:
    """List the lessons that plugins bring."""
    from lesson_runner.catalog import lessons
    from lesson_runner.report.text import safe

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
        typer.echo(safe(f"{entry.id:{width}}  {entry.title}"))
    if not found:
        typer.echo("No plugin brings a lesson. Run one by its path: lesson run FILE.md")


def show(context: typer.Context, lesson: LessonArgument, json: JsonOption = False) -> None:
    """Show a lesson: what it teaches, where it works, its profiles and steps."""
    from rich.text import Text

    from lesson_runner.report.text import safe

    plugins: Plugins = context.obj
    document, problems, _ = open_lesson(lesson, plugins)
    steps = [{"id": step.id, "title": step.title, "line": step.location.line} for step in document.steps]
    if json:
        data = {"path": str(document.path), "sha256": document.digest, "frontmatter": document.frontmatter}
        print_json({**data, "steps": steps, "errors": sum(item.severity == "error" for item in problems)})
        return
    console = make_console()
    errors = sum(item.severity == "error" for item in problems)
    console.print(Text(safe(document.title), "bold"))
    for line in [] if errors else _about(document):  # of an invalid lesson, any value may be of any type
        console.print(Text(safe(line)), soft_wrap=True)
    console.print(Text("\nSteps", "bold"))
    for item in steps:
        console.print(Text(safe(f"  {item['id']}: {item['title']} (line {item['line']})")), soft_wrap=True)
    if errors:
        counted = f"{errors} error{'' if errors == 1 else 's'}"
        console.print(Text(f"\n{counted}; see: lesson validate {safe(lesson)}", "red"))


def _about(document: Lesson) -> Iterator[str]:
    """Yield what a valid lesson's frontmatter says, line by line."""
    front = document.frontmatter
    yield f"{front['description'].strip()}\n"
    for label, key in (("Hardware", "supportedHardware"), ("Validated on", "validatedOn"), ("Tags", "tags")):
        if front.get(key):
            yield f"{label}: {', '.join(front[key])}"
    if "minTTMetalVersion" in front:
        yield f"tt-metal: {front['minTTMetalVersion']} or later"
    for name, profile in document.runner.get("profiles", {}).items():
        yield f"Profile {name}: {profile['summary']}"
