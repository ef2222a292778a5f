"""``lesson validate``: what is wrong with lesson documents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import JsonOption, print_json
from lesson_runner.errors import ExitCode, InvalidLessonError, LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Diagnostic
    from lesson_runner.plugins import Plugins


def validate(
    context: typer.Context,
    lessons: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LESSON]...", help="Ids, files or folders; without any, all that plugins bring."
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Check lessons: frontmatter, directives, steps and their parameters, in every profile."""
    from lesson_runner.report.text import safe

    plugins: Plugins = context.obj
    paths = _paths(lessons or [], plugins)
    findings = [(path, _check(path, plugins)) for path in paths]
    errors = sum(item.severity == "error" for _, found in findings for item in found)
    warnings = sum(item.severity == "warning" for _, found in findings for item in found)
    if json:
        print_json(
            {
                "lessons": [str(path) for path in paths],
                "errors": errors,
                "warnings": warnings,
                "findings": [_as_json(item) for _, found in findings for item in found],
            }
        )
    else:
        for _, found in findings:
            for item in found:
                sys.stdout.write(f"{safe(str(item))}\n")
        counts = ", ".join(
            f"{count} {name}{'' if count == 1 else 's'}"
            for count, name in ((len(paths), "lesson"), (errors, "error"), (warnings, "warning"))
        )
        sys.stdout.write(f"{counts}\n")
    return ExitCode.FAILED if errors else ExitCode.GOOD


def _paths(names: list[str], plugins: Plugins) -> list[Path]:
    from lesson_runner.catalog import find, lessons

    if not names:
        return [entry.path for entry in lessons(plugins)]
    paths: list[Path] = []
    for name in names:
        folder = Path(name)
        if not folder.is_dir():
            paths.append(find(name, plugins)[0])
        elif found := sorted(folder.rglob("*.md")):
            paths += found
        else:
            raise LessonError(f"{folder}: there is no .md file in this folder", fix="name another folder")
    return paths


def _check(path: Path, plugins: Plugins) -> list[Diagnostic]:
    """Return every finding about one document; the same finding in several profiles counts once."""
    from lesson_runner.run.names import profiles_of
    from lesson_runner.run.plan import make_plan
    from lesson_runner.schema.lessons import load_lesson

    try:
        lesson, problems = load_lesson(path)
    except InvalidLessonError as error:  # one file that is not text must not hide what is wrong with the rest
        return list(error.diagnostics)
    found = dict.fromkeys(problems)
    if any(item.severity == "error" for item in problems):
        return list(found)
    for profile in profiles_of(lesson, plugins.actions()):
        try:
            found.update(dict.fromkeys(make_plan(lesson, problems, plugins, profile).diagnostics))
        except InvalidLessonError as error:
            found.update(dict.fromkeys(error.diagnostics))
    return sorted(found, key=lambda item: (item.location.line, item.location.column))


def _as_json(item: Diagnostic) -> dict[str, object]:
    return {
        "rule": item.rule,
        "severity": item.severity,
        "message": item.message,
        "path": str(item.location.path),
        "line": item.location.line,
        "column": item.location.column,
        "fix": item.fix,
    }
