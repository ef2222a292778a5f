"""The plugin's hook; Ray is imported only when a fleet runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def lesson_add_commands(app: typer.Typer) -> None:
    """Add ``lesson fleet``, whose code is imported only when it runs."""
    from lesson_runner.cli.commands import add_lazy_command

    add_lazy_command(app, "fleet", "lesson_fleet.cli:fleet", "Run lessons on many boards at once.")
