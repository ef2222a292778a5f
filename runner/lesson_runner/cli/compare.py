"""``lesson compare``: the differences between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.cli.common import JsonOption, WorkspaceOption, make_console, print_json, workspace_folder
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Section
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.report.compare import Difference


def compare(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN", help="Two or more runs, each by its name, its folder, its record.json, or latest."
        ),
    ],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """
    Compare runs: parameters, numbers, curves and texts.

    Parameters and numbers are listed only where they differ.
    """
    from lesson_runner.execute.environment import redactor_for
    from lesson_runner.report import compare as side_by_side
    from lesson_runner.report.runs.as_json import section_data
    from lesson_runner.report.runs.evidence import unread
    from lesson_runner.run.find import find_run
    from lesson_runner.run.stored import read_run, without_secrets

    folders = list(dict.fromkeys(find_run(name, workspace_folder(workspace) / "runs") for name in runs))
    most = len(side_by_side.LETTERS)
    if not 2 <= len(folders) <= most:
        raise LessonError(
            f"{len(folders)} run{'s' if len(folders) != 1 else ''} cannot be compared",
            fix=f"name 2 to {most} different runs",
        )
    records = [read_run(folder) for folder in folders]
    named = side_by_side.name_runs(records)
    plugins: Plugins = context.obj
    redactor = redactor_for()
    sections = side_by_side.merge_sections(
        {
            letter: without_secrets([*plugins.report_sections(data, folder), *unread(data, folder)], redactor)
            for (letter, data), folder in zip(named.items(), folders, strict=True)
        }
    )
    differences = {
        "runs": side_by_side.run_differences(records),
        "status": side_by_side.status_differences(records),
        "params": side_by_side.parameter_differences(records),
        "metrics": side_by_side.metric_differences(records),
    }
    if json:
        data = {name: [_plain(item) for item in items] for name, items in differences.items()}
        runs_data = [{"letter": letter, **_about(item)} for letter, item in named.items()]
        print_json(
            {"compared": runs_data, "differences": data, "sections": list(map(section_data, sections))}
        )
        return
    console = make_console()
    _print_runs(console, named)
    shown = {**differences, "metrics": side_by_side.judged_differences(records)}
    titles = {
        "runs": "The runs",
        "status": "Steps with different results",
        "params": "Parameters",
        "metrics": "Metrics in expectations",
    }
    for name, title in titles.items():
        _print_differences(console, title, list(named), shown[name])
    _print_sections(console, sections, records)


def _about(record: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "status", "profile", "labels", "seconds")
    return {"lesson": record["lesson"]["id"], **{key: record[key] for key in keys}}


def _plain(item: Difference) -> dict[str, Any]:
    return {"steps": list(item.steps), "name": item.name, "values": list(item.values)}


def _print_runs(console: Console, named: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.text import Text

    from lesson_runner.report.live import SIGNS
    from lesson_runner.report.text import duration, line

    for letter, item in named.items():
        shown = Text.assemble((f"{letter}  ", "bold"), line(item["run_id"]), "  ")
        shown.append(item["status"], SIGNS.get(item["status"], ("", "yellow"))[1])
        shown.append(f", profile {line(item['profile'])}, in {duration(item['seconds'])}")
        if item["labels"]:
            shown.append(f"  [{line(', '.join(item['labels']))}]", "yellow")
        console.print(shown)


def _print_differences(console: Console, title: str, letters: list[str], items: Sequence[Difference]) -> None:
    from rich.text import Text

    from lesson_runner.report.tables import PlainTable
    from lesson_runner.report.text import number

    console.print()
    console.print(Text(title, "bold"))
    if not items:
        console.print(Text("no differences", "dim"))
        return
    table = PlainTable("step", "what", *letters)
    for item in items:
        values = [number(value) if isinstance(value, int | float) else str(value) for value in item.values]
        table.add(", ".join(item.steps), item.name, *values)
    console.print(table)


def _print_sections(
    console: Console, sections: Sequence[Section], records: Sequence[Mapping[str, Any]]
) -> None:
    from lesson_runner.report.summary import print_section

    labels = list(dict.fromkeys(label for item in records for label in item["labels"]))
    for section in sections:
        print_section(console, section, ", ".join(labels))
