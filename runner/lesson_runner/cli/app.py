"""The application: the commands of this package, and those that plugins add."""

from __future__ import annotations

from typing import Annotated

import typer

from lesson_runner import __version__
from lesson_runner.cli.commands import Group, add_lazy_command
from lesson_runner.cli.common import stdout_to_stderr
from lesson_runner.cli.output import say
from lesson_runner.plugins.manager import Plugins

COMMANDS = {
    "run": "Run a lesson: every step executed, judged and recorded.",
    "resume": "Resume a run that was interrupted or failed: what passed is not run again.",
    "report": "Make a report on a run: its results, curves and texts, as a page or for another tool.",
    "plan": "Show what a run would do: each step with its command, parameters and expectations.",
    "annotate": "Show the directives that say what 'lesson plan' recognised, as a diff; or write them.",
    "validate": "Check lessons: frontmatter, directives, steps in every profile, links, code, encoding.",
    "explain": "Explain a rule of 'lesson validate': why it matters, how to mend it, wrong and right.",
    "doctor": "Check this machine, and say how to put right what is wrong.",
    "list": "List the lessons that plugins bring.",
    "show": "Show a lesson: what it teaches, where it works, its profiles and steps.",
    "compare": "Compare runs: the parameters and numbers that differ, their curves and texts.",
    "certify": "Run a lesson as often as a policy asks, and sign a certificate if it shows what that wants.",
    "cert": "Check certificates, and use what they show.",
    "matrix": "Show lessons by hardware: certified, text changed, stale, failed, never run, not supported.",
    "trust": "Show what lessons from elsewhere were allowed, or take it back.",
    "plugins": "List plugins with the actions, checks and rules they bring; a broken one has its error.",
    "hw": "Show what hardware is in this machine, and how each fact was found out; every source is asked.",
    "schema": "List the JSON Schemas, or print one in one piece, as editors want it.",
    "runs": "List the runs in a workspace, or remove some.",
    "new": "Start a lesson or a plugin from a template that works.",
}
"""Every command, in the order of the help, with the first line of its own."""
PLACES = {"list": "lessons:list_lessons", "show": "lessons:show"}
"""Where a command is below ``lesson_runner.cli``, if not in a module and a function of its name."""


def _version(wanted: bool) -> None:
    if wanted:
        say(f"lesson-runner {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application, with the plugins loaded; commands find them as their context's ``obj``."""
    with stdout_to_stderr():  # what a plugin prints when imported is no command's output
        loaded = Plugins()
    app = typer.Typer(
        name="lesson",
        cls=Group,
        help="Run lessons for real: every step executed, judged and recorded.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # with it, help alone would import rich and a Markdown parser
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def lesson(
        context: typer.Context,
        version: Annotated[  # noqa: ARG001
            bool,
            typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True),
        ] = False,
    ) -> None:
        context.obj = loaded

    for name, summary in COMMANDS.items():
        add_lazy_command(app, name, f"lesson_runner.cli.{PLACES.get(name, f'{name}:{name}')}", summary)
    with stdout_to_stderr():
        loaded.add_commands(app)
    return app
