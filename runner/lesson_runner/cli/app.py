"""The application: the commands of this package, and those that plugins add."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from lesson_runner import __version__
from lesson_runner.cli import (
    annotate,
    cert,
    certify,
    compare,
    doctor,
    explain,
    hw,
    lessons,
    matrix,
    new,
    plan,
    plugins,
    report,
    run,
    runs,
    schema,
    validate,
)
from lesson_runner.plugins import Plugins


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lesson-runner {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Return the application, with the plugins loaded; commands find them as their context's ``obj``."""
    with redirect_stdout(sys.stderr):  # what a plugin prints when imported is no command's output
        loaded = Plugins()
    app = typer.Typer(
        name="lesson",
        help="Run Tenstorrent lessons for real: every step executed, judged and recorded.",
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

    app.command("run")(run.run)
    app.command("report")(report.report)
    app.command("plan")(plan.plan)
    app.command("annotate")(annotate.annotate)
    app.command("validate")(validate.validate)
    app.command("explain")(explain.explain)
    app.command("doctor")(doctor.doctor)
    app.command("list")(lessons.list_lessons)
    app.command("show")(lessons.show)
    app.add_typer(runs.runs, name="runs")
    app.command("compare")(compare.compare)
    app.command("certify")(certify.certify)
    app.add_typer(cert.cert, name="cert")
    app.command("matrix")(matrix.matrix)
    app.command("plugins")(plugins.plugins)
    app.command("hw")(hw.hw)
    app.add_typer(new.new, name="new")
    app.command("schema")(schema.schema)
    loaded.add_commands(app)
    return app
