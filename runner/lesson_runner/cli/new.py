"""``lesson new``: create a lesson or a plugin from a template."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lesson_runner.cli.output import say

FolderOption = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder to create it in; created if it does not exist.")
]

new = typer.Typer(help="Create a lesson or a plugin from a working template.", no_args_is_help=True)


@new.command("lesson")
def new_lesson(
    id: Annotated[  # noqa: A002  # its name in the frontmatter
        str,
        typer.Argument(
            metavar="ID", help="The lesson's id, such as my-first-lesson: lower-case words joined by hyphens."
        ),
    ],
    folder: FolderOption = Path(),
) -> None:
    """Create the file ID.md, a lesson that validates and runs."""
    from lesson_runner.cli import scaffold

    path = scaffold.new_lesson(id, folder)
    named = shlex.quote(str(path))
    _show([path], [f"lesson validate {named}", f"lesson run {named} --allow shell"])


@new.command("plugin")
def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The distribution's name, such as my-lessons.")],
    folder: FolderOption = Path(),
) -> None:
    """Create the folder NAME, a plugin with a lesson and tests."""
    from lesson_runner.cli import scaffold

    paths = scaffold.new_plugin(name, folder)
    top = next(path.parent for path in paths if path.name == "pyproject.toml")
    _show(
        paths,
        [f"cd {shlex.quote(str(top))}", 'pip install -e ".[test]"', "pytest", f"lesson run {top.name}"],
    )


def _show(paths: list[Path], commands: list[str]) -> None:
    say(*(f"created {path}" for path in paths), "", "next:", *(f"  {command}" for command in commands))
