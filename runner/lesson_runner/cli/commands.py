"""
Lazy commands, and functions with which commands print.

``lesson --help`` names every command of every plugin but imports none of them: until a command is called, a
name, a line of help and the place of its code stand in for it.
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
    Add a command, or a group of commands, that is imported only when it is called.

    Args:
        app: the application that ``lesson_add_commands`` receives.
        name: the command's name, as typed after ``lesson``.
        target: ``module:attribute`` of a function with typer's annotations, or of a :class:`typer.Typer`.
        summary: the line in the list of commands.
    """
    command = type("LazyCommand", (_LazyCommand,), {"target": target})
    app.command(name, cls=command, help=summary)(_not_loaded)


def say(*lines: str, err: bool = False) -> None:
    """
    Print each text as one line, without terminal escapes or workflow commands.

    Args:
        err: print to standard error, where notes and warnings go.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is not None:
        stream.write("".join(f"{line(text)}\n" for text in lines))
        stream.flush()


def say_json(data: Any) -> None:
    """
    Print data as JSON to standard output.

    Raises:
        ValueError: a number in ``data`` is not finite.
    """
    sys.stdout.write(f"{json_text(data)}\n")


class _CheapHelp:
    """
    A command whose ``--help`` option costs nothing unless it is used.

    Typer gives that option no default, and then imports pydantic to find out that ``None`` is not a ``bool``.
    That takes half the time of a short command.
    """

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option, off by default."""
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]  # the other base class defines it
        if option is not None:
            option.default = False
        return option


class Command(_CheapHelp, TyperCommand):
    """One command."""


class Group(_CheapHelp, TyperGroup):
    """The application."""


class _LazyCommand(TyperCommand):
    """Stands in for a command until its arguments are parsed, then hands over to it."""

    target: ClassVar[str]

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the real command."""
        return self.load().make_context(info_name, args, parent, **extra)

    def load(self) -> Any:
        """Import the command and return it."""
        module, _, attribute = self.target.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        app = typer.Typer(add_completion=False, rich_markup_mode=self.rich_markup_mode)
        app.callback()(_not_loaded)  # makes a single command a group of one
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=self.name)
        else:
            app.command(self.name, cls=Command)(found)
        group: Any = typer.main.get_command(app)
        return group.commands[self.name]


def _not_loaded() -> None:
    """Serve as the function that typer requires; it is never called."""
