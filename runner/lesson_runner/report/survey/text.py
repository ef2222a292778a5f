"""The survey for a terminal, readable in 80 columns."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from lesson_runner.report.live import SIGNS
from lesson_runner.report.survey.data import (
    Missing,
    Survey,
    SurveyedLesson,
    certificate_in_words,
    counted,
    in_words,
    run_in_words,
)
from lesson_runner.report.tables import PlainTable
from lesson_runner.report.text import line
from lesson_runner.run.outlook import describe_lack

MOST_ROWS = 25
"""How many things the tables at the end name."""
MOST_THINGS = 4
"""How many things that a lesson lacks its lines name."""


def render(survey: Survey, console: Console) -> str:
    """Return a paragraph for each lesson, then what is missing, the errors, and the totals."""
    with console.capture() as captured:
        for lesson in survey.good:
            console.print(_head(lesson))
            for row in _rows(lesson):
                console.print(Padding(Text(line(row), "dim"), (0, 0, 0, 2), expand=False))
        for title, things in (
            ("What is missing here", survey.missing()),
            ("What only a run finds out", survey.open()),
        ):
            if things:
                console.print()
                console.print(Text(title, "bold"))
                console.print(_table(things))
                if len(things) > MOST_ROWS:
                    console.print(Text(f"… and {len(things) - MOST_ROWS} more; --json has all", "dim"))
        if survey.bad:
            console.print()
            console.print(Text("Lessons with errors", "bold"))
            for lesson in survey.bad:
                for part in _error(lesson):
                    console.print(part)
        console.print()
        console.print(Text("Hardware: ").append(line(_hardware(survey))))
        console.print(Text(in_words(survey), "bold"))
    return captured.get()


def _head(lesson: SurveyedLesson) -> Text:
    style = "green" if lesson.ready == lesson.steps > 0 else "yellow" if lesson.ready else "dim"
    steps = f"{lesson.ready} of {counted(lesson.steps, 'step')}" if lesson.steps else "no steps"
    return Text.assemble((line(lesson.id), "bold"), "  ", (steps, style))


def _rows(lesson: SurveyedLesson) -> Iterator[str]:
    if lesson.title != lesson.id:
        yield f"{lesson.title}"
    if lesson.roles:
        yield f"blocks: {', '.join(f'{count} {role}' for role, count in lesson.roles.items())}"
    if lacks := list(lesson.lacks.items()):
        shown = [f"{describe_lack(lack)} ({counted(count, 'step')})" for lack, count in lacks[:MOST_THINGS]]
        more = len(lacks) - MOST_THINGS
        yield f"missing: {', '.join([*shown, *([f'{more} more'] if more > 0 else [])])}"
    if lesson.last_run or lesson.certificates:
        said = [f"last run: {run_in_words(lesson.last_run)}", *map(certificate_in_words, lesson.certificates)]
        yield f"{'; '.join(said)}"


def _table(things: Sequence[Missing]) -> PlainTable:
    table = PlainTable("what", "steps", "lessons", right={"steps", "lessons"})
    for item in things[:MOST_ROWS]:
        table.add(line(describe_lack(item.lack)), str(item.steps), str(len(item.lessons)))
    return table


def _error(lesson: SurveyedLesson) -> Iterator[Text]:
    sign, style = SIGNS["failed"]
    count = counted(lesson.errors, "error")
    yield Text.assemble((f"{sign} {line(lesson.id)}", style), f"  {count}; all: lesson validate ").append(
        line(shlex.quote(str(lesson.path)))
    )
    if lesson.error is not None:
        yield Text(line(f"  {lesson.error}"), "dim")


def _hardware(survey: Survey) -> str:
    return ", ".join(str(item["name"]) for item in survey.hardware) or "none"
