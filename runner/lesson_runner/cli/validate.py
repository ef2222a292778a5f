"""``lesson validate``: find errors in lesson documents."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import (
    OverlayOption,
    WorkspaceOption,
    make_console,
    stdout_to_stderr,
    workspace_folder,
)
from lesson_runner.cli.output import WorkflowCommandFilter
from lesson_runner.model.errors import ExitCode, LessonError
from lesson_runner.report.formats import DIAGNOSTICS

if TYPE_CHECKING:
    from lesson_runner.model import Checked
    from lesson_runner.plugins.manager import Plugins

ROUNDS = 5
"""Upper limit: a fix can make another one possible, but more rounds would mean an endless loop."""


def validate(
    context: typer.Context,
    lessons: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Ids, files or folders. Default: all lessons of plugins."),
    ] = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{DIAGNOSTICS.help}.")] = "text",
    json: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Edit the files to fix what can be fixed safely.")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE,…", help="Apply only these rules; ct4.* means all rules of ct4."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE,…", help="Do not apply these rules.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings file. Default: the nearest lesson.toml, or pyproject.toml with settings.",
        ),
    ] = None,
    certs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="Require a certificate in this folder or below for each entry of validatedOn."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="POLICY",
            help="Policy that those certificates must be signed under: a name, or a .yaml file.",
        ),
    ] = None,
    overlay: OverlayOption = None,
    workspace: WorkspaceOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Number of processes. Default: as many as save time."
        ),
    ] = None,
) -> int:
    """
    Check lessons: frontmatter, directives, steps, links and code.

    Steps are checked in every profile. 'lesson explain' describes the rules.
    """
    from dataclasses import replace

    from lesson_runner.model import Diagnostics
    from lesson_runner.report.diagnostics import render
    from lesson_runner.validate.check import all_rules, broken_plugins, validate
    from lesson_runner.validate.fix import apply_fixes
    from lesson_runner.validate.parallel import useful_jobs, validate_with
    from lesson_runner.validate.paths import documents
    from lesson_runner.validate.settings import find_settings, with_options

    shown_as = "json" if json else DIAGNOSTICS.checked(format_)
    if policy and not certs:
        raise LessonError(
            "--policy needs --certs", fix="give the folder of the certificates too: --certs DIR"
        )
    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints is not part of the output
        rules = all_rules(plugins)
        settings = with_options(find_settings(config, rules), select or (), ignore or (), rules)
        settings = replace(settings, overlay=overlay)
        paths = documents(lessons or (), plugins, settings)
        uncertified = None
        if certs:
            from lesson_runner.cli.certification_status import certificate_check

            uncertified = certificate_check(certs, policy or (), plugins, workspace_folder(workspace))
        broken = broken_plugins(plugins, settings)
        plugins.unreported.clear()

    def check() -> Iterator[Checked]:
        if uncertified is not None:  # the certificates cannot be passed to other processes
            return _silent(validate(paths, plugins, settings, rules, uncertified))
        return _silent(validate_with(jobs or useful_jobs(paths), paths, plugins, settings, rules))

    fixed = 0
    for _ in range(ROUNDS if fix else 0):
        applied = sum(len(apply_fixes(document)) for document in check())
        fixed += applied
        if not applied:
            break
    found = Diagnostics(chain(broken, check()), rules, fixed)
    write = sys.stdout.write
    if shown_as == "github" and isinstance(sys.stdout, WorkflowCommandFilter):
        # Diagnostics for GitHub are workflow commands, with escaping of their own.
        write = sys.stdout.write_commands
    for piece in render(found, shown_as, Path.cwd(), make_console()):
        write(piece)
    return ExitCode.FAILED if found.errors else ExitCode.GOOD


def _silent(documents: Iterator[Checked]) -> Iterator[Checked]:
    """Yield checked documents, and keep what plugins print meanwhile out of the output."""
    while True:
        with stdout_to_stderr():
            document = next(documents, None)
        if document is None:
            return
        yield document
