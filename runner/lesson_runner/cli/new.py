"""``lesson new``: something to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.output import say

FolderOption = Annotated[Path, typer.Option(help="Where it is made; folders that are missing are made too.")]

new = typer.Typer(help="Start a lesson or a plugin from a template that works.", no_args_is_help=True)


@new.command("lesson")
def new_lesson(
    id: Annotated[  # noqa: A002  # what the frontmatter calls it
        str, typer.Argument(metavar="ID", help="Lower-case words joined by hyphens: my-first-lesson.")
    ],
    folder: FolderOption = Path(),
) -> None:
    """Write a lesson that validates and runs: ID.md."""
    from lesson_runner.cli import scaffold

    path = scaffold.new_lesson(id, folder)
    named = shlex.quote(str(path))
    _show([path], [f"lesson validate {named}", f"lesson run {named} --allow shell"])


@new.command("plugin")
def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The distribution's name: my-lessons.")],
    folder: FolderOption = Path(),
) -> None:
    """Make a plugin with an action, a lesson and tests: NAME/."""
    from lesson_runner.cli import scaffold

    paths = scaffold.new_plugin(name, folder)
    top = next(path.parent for path in paths if path.name == "pyproject.toml")
    _show(
        paths,
        [f"cd {shlex.quote(str(top))}", 'pip install -e ".[test]"', "pytest", f"lesson run {top.name}"],
    )


def _show(paths: list[Path], commands: list[str]) -> None:
    say(*(f"made {path}" for path in paths), "", "next:", *(f"  {command}" for command in commands))
