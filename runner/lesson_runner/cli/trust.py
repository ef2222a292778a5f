"""``lesson trust``: the permissions granted to lessons at a prompt, and how to revoke them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.run.permissions import LessonPermissions, PermissionStore

trust = typer.Typer(
    help="Show or revoke the permissions you granted to lessons.", invoke_without_command=True
)


@trust.callback()
def show(context: typer.Context, json: JsonOption = False) -> None:
    """
    Show or revoke the permissions you granted to lessons.

    They are those you granted at a prompt to lessons that no plugin provides.
    """
    if context.invoked_subcommand is None:
        list_allowed(json)


@trust.command("list")
def list_allowed(json: JsonOption = False) -> None:
    """List the lessons with permissions, by version of their text."""
    memory = _memory()
    if json:
        print_json([_data(item) for item in memory.all()])
    elif memory.all():
        _print(memory.all())
    else:
        say("No lesson has permissions.")


@trust.command("forget")
def forget(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Lessons by id, path, or the start of the digest."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Revoke the permissions of all lessons.")] = False,
) -> None:
    """Revoke the permissions of lessons; the next run asks again."""
    memory = _memory()
    if everything == bool(names):
        raise LessonError("give either lessons or --all", fix="'lesson trust list' lists the lessons")
    chosen = memory.all() if everything else [item for name in names or () for item in _find(name, memory)]
    if chosen or memory.problem:
        memory.forget([item.digest for item in chosen])
    for item in dict.fromkeys(item.digest for item in chosen):
        known = next(entry for entry in chosen if entry.digest == item)
        say(f"revoked: {known.lesson} ({known.path})")


def _memory() -> PermissionStore:
    from lesson_runner.run.permissions import PermissionStore

    memory = PermissionStore.read()
    if memory.problem:
        say(f"note: {memory.path}: {memory.problem}; the file is ignored", err=True)
    return memory


def _find(name: str, memory: PermissionStore) -> list[LessonPermissions]:
    from pathlib import Path

    from lesson_runner.model.hints import did_you_mean

    path = str(Path(name).absolute())
    found = [
        item
        for item in memory.all()
        if name == item.lesson or path == item.path or (len(name) >= 8 and item.digest.startswith(name))
    ]
    if not found:
        known = [item.lesson for item in memory.all()]
        fix = did_you_mean(name, known) or "'lesson trust list' lists the lessons"
        raise LessonError(f"no lesson '{name}' has permissions", fix=fix)
    return found


def _data(item: LessonPermissions) -> dict[str, object]:
    return {
        "content_sha256": item.digest,
        "lesson": item.lesson,
        "path": item.path,
        "permissions": dict(item.permissions),
    }


def _print(found: list[LessonPermissions]) -> None:
    from lesson_runner.report.tables import PlainTable

    table = PlainTable("lesson", "may", "since", "content", "path")
    for item in found:
        since = min(item.permissions.values(), default="")[:10]
        table.add(item.lesson, ", ".join(item.permissions), since, item.digest[:12], item.path)
    make_console().print(table)
