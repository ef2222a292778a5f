"""The hook of ``lesson_fleet``; Ray is imported when a fleet runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesson_runner.plugin import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def lesson_add_commands(app: typer.Typer) -> None:
    """Add ``lesson fleet run``."""
    from lesson_fleet.cli import add_commands

    add_commands(app)
