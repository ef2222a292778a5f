"""``lesson trust``: what lessons from elsewhere were allowed at a prompt, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.run.permissions import LessonPermissions, PermissionStore

trust = typer.Typer(
    help="Show what lessons from elsewhere were allowed, or take it back.", invoke_without_command=True
)


@trust.callback()
def show(context: typer.Context, json: JsonOption = False) -> None:
    """Show what lessons from elsewhere were allowed; 'forget' takes it back."""
    if context.invoked_subcommand is None:
        list_allowed(json)


@trust.command("list")
def list_allowed(json: JsonOption = False) -> None:
    """List the lessons that were allowed something, by what they say."""
    memory = _memory()
    if json:
        print_json([_data(item) for item in memory.all()])
    elif memory.all():
        _print(memory.all())
    else:
        say("No lesson was allowed anything.")


@trust.command("forget")
def forget(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON…", help="Ids of lessons, their paths, or the beginnings of digests."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Forget all of it.")] = False,
) -> None:
    """Forget what lessons were allowed: they will ask again."""
    memory = _memory()
    if everything == bool(names):
        raise LessonError("forget takes lessons, or --all", fix="'lesson trust list' lists them")
    chosen = memory.all() if everything else [item for name in names or () for item in _find(name, memory)]
    if chosen or memory.problem:
        memory.forget([item.digest for item in chosen])
    for item in dict.fromkeys(item.digest for item in chosen):
        known = next(entry for entry in chosen if entry.digest == item)
        say(f"forgotten: {known.lesson} ({known.path})")


def _memory() -> PermissionStore:
    from lesson_runner.run.permissions import PermissionStore

    memory = PermissionStore.read()
    if memory.problem:
        say(f"note: {memory.path}: {memory.problem}; it counts for nothing", err=True)
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
        fix = did_you_mean(name, known) or "'lesson trust list' lists them"
        raise LessonError(f"no lesson '{name}' was allowed anything", fix=fix)
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
