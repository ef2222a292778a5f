"""The application: the commands of this package, and those of plugins."""

from __future__ import annotations

from typing import Annotated

import typer

from lesson_runner import __version__
from lesson_runner.cli.commands import Group, add_lazy_command
from lesson_runner.cli.common import stdout_to_stderr
from lesson_runner.cli.output import say
from lesson_runner.plugins.manager import Plugins

COMMANDS = {
    "run": "Run a lesson: execute, judge and record every step.",
    "resume": "Resume a run that was interrupted or failed.",
    "report": "Write a report on a run, as a page or for another tool.",
    "plan": "Show what a run would do, step by step.",
    "survey": "Show what lessons are, what can run here, and what is missing.",
    "annotate": "Add directives for recognised steps: show a diff, or write it.",
    "validate": "Check lessons: frontmatter, directives, steps, links and code.",
    "explain": "Explain a rule of 'lesson validate', with examples and the fix; or the role of a block.",
    "doctor": "Check this machine, and show how to fix what is wrong.",
    "list": "List the lessons that plugins provide.",
    "show": "Show what a lesson teaches, its hardware, profiles and steps.",
    "compare": "Compare runs: parameters, numbers, curves and texts.",
    "certify": "Run a lesson as a policy requires, and sign a certificate.",
    "cert": "Verify and use certificates, and manage signing keys.",
    "matrix": "Show the certificate status of lessons on each hardware.",
    "trust": "Show or revoke the permissions you granted to lessons.",
    "plugins": "List plugins with their actions, checks, rules and errors.",
    "hw": "Show the hardware in this machine, and how it was detected.",
    "schema": "List the JSON Schemas, or print one for an editor.",
    "runs": "List the runs in a workspace, or remove some.",
    "new": "Create a lesson or a plugin from a working template.",
}
"""Every command in the order of the help, with the first line of its help."""
LOCATIONS = {"list": "lessons:list_lessons", "show": "lessons:show"}
"""``module:function`` below ``lesson_runner.cli``, for commands that differ from their module or function."""


def _version(wanted: bool) -> None:
    if wanted:
        say(f"lesson-runner {__version__}")
        raise typer.Exit


def load_plugins() -> Plugins:
    """Load the plugins; what they print on import goes to standard error."""
    with stdout_to_stderr():
        return Plugins()


def build_app(loaded: Plugins) -> typer.Typer:
    """Return the application; commands get the plugins as ``context.obj``."""
    app = typer.Typer(
        name="lesson",
        cls=Group,
        help="Run lessons for real: execute, judge and record every step.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # otherwise the help alone imports rich and a Markdown parser
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def lesson(
        context: typer.Context,
        version: Annotated[  # noqa: ARG001
            bool,
            typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True),
        ] = False,
    ) -> None:
        context.obj = loaded

    for name, summary in COMMANDS.items():
        add_lazy_command(app, name, f"lesson_runner.cli.{LOCATIONS.get(name, f'{name}:{name}')}", summary)
    with stdout_to_stderr():
        loaded.add_commands(app)
    return app
