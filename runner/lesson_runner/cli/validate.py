"""``lesson validate``: what is wrong with lesson documents."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WorkspaceOption, make_console, stdout_to_stderr, workspace_folder
from lesson_runner.cli.output import WorkflowCommandFilter
from lesson_runner.model.errors import ExitCode, LessonError
from lesson_runner.report.formats import FINDINGS

if TYPE_CHECKING:
    from lesson_runner.model import Checked
    from lesson_runner.plugins.manager import Plugins

ROUNDS = 5
"""What one edit mends may be what another one waited for; more rounds than this would be a circle."""


def validate(
    context: typer.Context,
    lessons: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LESSON]...", help="Ids, files or folders; without any, all that plugins bring."
        ),
    ] = None,
    format_: Annotated[str, typer.Option("--format", help=f"{FINDINGS.help}.")] = "text",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Fix in the files what can be fixed safely.")] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE,…", help="Look for these rules only; ct4.* is all of ct4."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULE,…", help="Do not look for these.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Settings; without it, the nearest lesson.toml, or pyproject.toml with some."
        ),
    ] = None,
    certs: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Ask for a certificate below this folder for each validatedOn."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(metavar="POLICY", help="What those must be signed under; a name, or a .yaml file."),
    ] = None,
    workspace: WorkspaceOption = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="How many processes; without it, as many as pay."),
    ] = None,
) -> int:
    """Check lessons: frontmatter, directives, steps in every profile, links, code, encoding."""
    from lesson_runner.model import Diagnostics
    from lesson_runner.report.diagnostics import render
    from lesson_runner.validate.check import all_rules, validate
    from lesson_runner.validate.fix import apply_fixes
    from lesson_runner.validate.parallel import jobs_that_pay, validate_with
    from lesson_runner.validate.paths import documents
    from lesson_runner.validate.settings import find_settings, with_options

    shown_as = "json" if json else FINDINGS.checked(format_)
    if policy and not certs:
        raise LessonError("--policy goes with --certs", fix="name the folder of the certificates too")
    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints belongs to no format
        rules = all_rules(plugins)
        settings = with_options(find_settings(config, rules), select or (), ignore or (), rules)
        paths = documents(lessons or (), plugins, settings)
        uncertified = None
        if certs:
            from lesson_runner.cli.certification_status import certificate_check

            uncertified = certificate_check(certs, policy or (), plugins, workspace_folder(workspace))

    def look() -> Iterator[Checked]:
        if uncertified is not None:  # what it knows of certificates is not handed to other processes
            return _silent(validate(paths, plugins, settings, rules, uncertified))
        return _silent(validate_with(jobs or jobs_that_pay(paths), paths, plugins, settings, rules))

    fixed = 0
    for _ in range(ROUNDS if fix else 0):
        applied = sum(len(apply_fixes(document)) for document in look())
        fixed += applied
        if not applied:
            break
    found = Diagnostics(look(), rules, fixed)
    write = sys.stdout.write
    if shown_as == "github" and isinstance(sys.stdout, WorkflowCommandFilter):
        write = sys.stdout.write_commands  # diagnostics for GitHub are commands, and have their own escaping
    for piece in render(found, shown_as, Path.cwd(), make_console()):
        write(piece)
    return ExitCode.FAILED if found.errors else ExitCode.GOOD


def _silent(documents: Iterator[Checked]) -> Iterator[Checked]:
    """Yield what is found; what plugins print while they look at a document does not reach the output."""
    while True:
        with stdout_to_stderr():
            document = next(documents, None)
        if document is None:
            return
        yield document
