"""The summary at the end of a run: the sections of plugins, the steps with their results, the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from lesson_runner.model import LEFT_OUT, Passage, Point, Section, Series, Texts
from lesson_runner.report.live import SIGNS
from lesson_runner.report.runs.formatting import cell
from lesson_runner.report.runs.sections import by_row
from lesson_runner.report.tables import PlainTable
from lesson_runner.report.text import block, duration, line, number
from lesson_runner.run.record import NOTHING_RAN

_SERIES_POINTS = 5
"""The longest line is shown at the ends of this many equal parts, all lines at their own ends too."""
_ALL_POINTS = 8
"""If all lines together have values at no more places than this, all of them are shown."""
_NARROWEST_TEXT = 26
"""Columns that a panel of text needs; where there are fewer, texts go below each other."""


def print_summary(console: Console, record: Mapping[str, Any], sections: Iterable[Section]) -> None:
    """Print everything that comes after the last step."""
    shown = ", ".join([record["profile"], *record["labels"]])
    shown_sections = list(sections)
    for section in shown_sections:
        print_section(console, replace(section, conclusion=""), shown)
    console.print()
    console.print(steps_table(record["steps"]))
    left_out = Counter(step["message"] for step in record["steps"] if step["message"].startswith(LEFT_OUT))
    for reason, count in left_out.items():
        console.print(Text(f"{count} more steps {line(reason)}", "dim"))
    status = "passed" if record["status"] == "passed" else "failed"
    result = Text(f"{SIGNS[status][0]} {line(record['lesson']['id'])}: {record['status']}", SIGNS[status][1])
    skipped = sum(step["status"] == "skipped" for step in record["steps"]) - sum(left_out.values())
    partly = f", {skipped} of {len(record['steps'])} steps skipped" if skipped else ""
    result.append(f"{partly}, profile {line(record['profile'])}, in {duration(record['seconds'])}", "none")
    if record["labels"]:
        result.append(f"  [{line(', '.join(record['labels']))}]", "yellow")
    console.print(result)
    for section in shown_sections:
        if section.conclusion:
            console.print(Text(line(section.conclusion), "bold"))
    claims = [claim for step in record["steps"] for claim in step["claims"]]
    if claims:
        counts = ", ".join(
            f"{sum(claim['result'] == name for claim in claims)} {name}"
            for name in ("reproduced", "better", "worse", "not evaluated")
        )
        console.print(Text(f"The lesson's claims: {counts}", "none"))

    outputs = [verdict for step in record["steps"] for verdict in step.get("shown", ())]
    if outputs:
        same = sum(verdict["passed"] for verdict in outputs)
        text = f"Output that the lesson shows: {same} as shown, {len(outputs) - same} different"
        console.print(Text(text, "none"))
    if record["status"] == NOTHING_RAN:
        console.print(Text("Every step was skipped, so the lesson has not passed", "bold yellow"))


def print_section(console: Console, section: Section, labels: str) -> None:
    """Print a section of a plugin, with the labels of its run after the title."""
    console.print()
    title = Text(line(section.title), "bold")
    console.print(title.append(f"  [{line(labels)}]", "yellow") if labels else title)
    if section.note:
        console.print(Text(line(section.note), "dim"))
    if section.conclusion:
        console.print(Text(line(section.conclusion)))
    console.print(_draw(section, console.width))


def steps_table(steps: Sequence[Mapping[str, Any]]) -> PlainTable:
    """Return the table of steps: status, key metric, time."""
    table = PlainTable("step", "status", "key metric", "time", right={"time"})
    for step in steps:
        if step["message"].startswith(LEFT_OUT):
            continue
        sign, style = SIGNS[step["status"]]
        seconds = step.get("seconds", 0.0)
        table.add(
            str(step["id"]),
            Text(f"{sign} {step['status']}", style),
            key_metric(step),
            duration(seconds) if step.get("attempts") else "",
        )
    return table


def key_metric(step: Mapping[str, Any]) -> str:
    """Return the metrics a step was judged by, or its message if there are none."""
    metrics = [item.get("metric") for item in step.get("expect", ())]
    judged = [str(item.get("name")) for item in metrics if isinstance(item, dict)]
    names = [name for name in dict.fromkeys(judged) if name in step["metrics"]]
    if names:
        return ", ".join(f"{name} {number(step['metrics'][name])}" for name in names[:3])
    message = str(step["message"]).split("\n", 1)[0]
    return message if len(message) <= 70 else f"{message[:69]}…"


def _draw(section: Section, width: int) -> RenderableType:
    if isinstance(section, Texts):
        return _texts(section.items, width)
    if isinstance(section, Series):
        return _series(section)
    table = PlainTable(*section.columns)
    for row in section.rows:
        table.add(*map(cell, row))
    return table


def _texts(items: Sequence[Passage], width: int) -> RenderableType:
    """Return texts next to each other where they fit, those of one row below its name."""
    shown: list[RenderableType] = []
    for name, found in by_row(items).items():
        shown += [Text(line(name), "italic")] if name else []
        shown.append(_row(found, width))
    return Group(*shown)


def _row(items: Sequence[Passage], width: int) -> RenderableType:
    """Return texts next to each other where they fit, else in rows of about equal length."""
    fitting = max(1, width // _NARROWEST_TEXT)
    rows = max(1, math.ceil(len(items) / fitting))
    across = max(1, math.ceil(len(items) / rows))
    each = width // across - 1
    panels = [
        Panel(
            Text(block(item.text.strip("\n"), "")),
            title=Text(line(item.title)),
            title_align="left",
            width=each,
        )
        for item in items
    ]
    return Columns(panels, padding=(0, 1, 0, 0))


def _series(series: Series) -> PlainTable:
    """Return the values of all lines at the same places: a terminal shows curves as tables."""
    places = sorted({x for item in series.lines for x, _ in item.points})
    if len(places) > _ALL_POINTS:
        ends = {item.points[-1][0] for item in series.lines if item.points}
        between = {round(max(ends) * n / _SERIES_POINTS) for n in range(1, _SERIES_POINTS)}
        places = sorted(ends | between)
    numbers = list(map(number, places))
    table = PlainTable(f"{series.y} at {series.x}", *numbers, right=numbers)
    for item in series.lines:
        # A line for comparison has values at its own places only, and none between them.
        shown = {x for x, _ in item.points} if item.dashed else set(places)
        table.add(item.name, *(_at(place, item.points) if place in shown else "" for place in places))
    return table


def _at(place: float, points: Sequence[Point]) -> str:
    """Return the value at the last point up to ``place``; nothing beyond the end of the line."""
    before = [value for x, value in points if x <= place]
    if not before or place > points[-1][0]:
        return ""
    return f"{before[-1]:.2f}"
