"""
Commands that are imported when they are typed, and how they print.

``lesson --help`` names every command of every plugin. With what is here it imports none of them: a name, a
line of help and where the command is stand for it until somebody asks for it.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, ClassVar

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from lesson_runner.report.text import json_text, line


def add_lazy_command(app: typer.Typer, name: str, target: str, summary: str) -> None:
    """
    Add a command, or a group of commands, without importing it.

    Args:
        app: what ``lesson_add_commands`` gets.
        name: what is typed after ``lesson``.
        target: ``module:attribute`` of a function with typer's annotations, or of a :class:`typer.Typer`.
        summary: the line in the list of commands.
    """
    command = type("Later", (_Later,), {"target": target})
    app.command(name, cls=command, help=summary)(_not_loaded)


def say(*lines: str, err: bool = False) -> None:
    """
    Print lines, each of which stays one line and is made harmless.

    Args:
        err: to standard error, where notes and warnings go.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is not None:
        stream.write("".join(f"{line(text)}\n" for text in lines))
        stream.flush()


def say_json(data: Any) -> None:
    """
    Print data as JSON to standard output.

    Raises:
        ValueError: a number in it is not finite.
    """
    sys.stdout.write(f"{json_text(data)}\n")


class _CheapHelp:
    """
    A command whose ``--help`` costs nothing while nobody asks for it.

    Typer gives that option no default, and then imports pydantic to find out that nothing is a ``bool``: half
    the time of a short command.
    """

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option, off by default."""
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]  # of the class this is mixed into
        if option is not None:
            option.default = False
        return option


class Command(_CheapHelp, TyperCommand):
    """One command."""


class Group(_CheapHelp, TyperGroup):
    """The application."""


class _Later(TyperCommand):
    """Stands for a command until its arguments are parsed; from then on it is that command's turn."""

    target: ClassVar[str]

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command that this one stands for."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """Import the command and return it."""
        module, _, attribute = self.target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        app = typer.Typer(add_completion=False, rich_markup_mode=self.rich_markup_mode)
        app.callback()(_not_loaded)  # with it, one command is a group of one
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=self.name)
        else:
            app.command(self.name, cls=Command)(found)
        group: Any = typer.main.get_command(app)
        return group.commands[self.name]


def _not_loaded() -> None:
    """Be the function that typer asks for; nothing ever calls it."""
