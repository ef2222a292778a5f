"""What a run ends with: the steps with their results, what plugins have to show, where things are."""

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

from lesson_runner.model import LEFT_OUT, Section
from lesson_runner.report.live import SIGNS
from lesson_runner.report.tables import PlainTable
from lesson_runner.report.text import block, duration, line, number

_SERIES_POINTS = 5
"""Into so many parts the longest series is cut; the ends of all are shown too."""
_ALL_POINTS = 8
"""If all series together have values at no more places than this, these are the places."""
_NARROWEST_TEXT = 26
"""Columns of a text panel below which texts go below each other instead."""


def print_closing(console: Console, record: Mapping[str, Any], sections: Iterable[Section]) -> None:
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
    result.append(f", profile {line(record['profile'])}, in {duration(record['seconds'])}", "none")
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


def print_section(console: Console, section: Section, labels: str) -> None:
    """Print what a plugin has to show, with what a reader must know of it."""
    console.print()
    title = Text(line(section.title), "bold")
    console.print(title.append(f"  [{line(labels)}]", "yellow") if labels else title)
    if section.note:
        console.print(Text(line(section.note), "dim"))
    if section.conclusion:
        console.print(Text(line(section.conclusion)))
    try:
        drawn = _draw(section, console.width)
    except Exception as error:  # a plugin gave data of another shape; the run itself is recorded
        drawn = Text(line(f"cannot be shown: {type(error).__name__}: {error}"), "yellow")
    console.print(drawn)


def steps_table(steps: Sequence[Mapping[str, Any]]) -> PlainTable:
    """Return the table of steps: status, the number that matters, time."""
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
    asked = [item.get("metric") for item in step.get("expect", ())]
    judged = [str(item.get("name")) for item in asked if isinstance(item, dict)]
    names = [name for name in dict.fromkeys(judged) if name in step["metrics"]]
    if names:
        return ", ".join(f"{name} {number(step['metrics'][name])}" for name in names[:3])
    message = str(step["message"]).split("\n", 1)[0]
    return message if len(message) <= 70 else f"{message[:69]}…"


def _draw(section: Section, width: int) -> RenderableType:
    if section.kind == "texts":
        return _texts(section.data["items"], width)
    if section.kind == "series":
        return _series(section.data)
    table = PlainTable(*map(str, section.data["columns"]))
    for row in section.data["rows"]:
        table.add(*map(_cell, row))
    return table


def _texts(items: Sequence[Mapping[str, str]], width: int) -> RenderableType:
    """Return texts beside each other where they fit, those of one row below its name."""
    rows: dict[str, list[Mapping[str, str]]] = {}
    for item in items:
        rows.setdefault(str(item.get("row") or ""), []).append(item)
    shown: list[RenderableType] = []
    for name, found in rows.items():
        shown += [Text(line(name), "italic")] if name else []
        shown.append(_row(found, width))
    return Group(*shown)


def _row(items: Sequence[Mapping[str, str]], width: int) -> RenderableType:
    """Return texts beside each other where they fit, else in rows of about equal length."""
    fitting = max(1, width // _NARROWEST_TEXT)
    rows = max(1, math.ceil(len(items) / fitting))
    across = max(1, math.ceil(len(items) / rows))
    each = width // across - 1
    panels = [
        Panel(Text(block(text.strip("\n"), "")), title=Text(line(title)), title_align="left", width=each)
        for title, text in ((item["title"], item["text"]) for item in items)
    ]
    return Columns(panels, padding=(0, 1, 0, 0))


def _series(data: Mapping[str, Any]) -> PlainTable:
    """Return each series at the same places; a curve is for reports that can draw one."""
    heading = f"{data.get('y', 'y')} at {data.get('x', 'x')}"
    places = sorted({x for item in data["items"] for x, _ in item["points"]})
    if len(places) > _ALL_POINTS:
        ends = {item["points"][-1][0] for item in data["items"] if item["points"]}
        between = {round(max(ends) * n / _SERIES_POINTS) for n in range(1, _SERIES_POINTS)}
        places = sorted(ends | between)
    numbers = [f"{place:,}" for place in places]
    table = PlainTable(heading, *numbers, right=numbers)
    for item in data["items"]:
        # What is not of this run has values at its own places only, and says nothing between them.
        shown = {x for x, _ in item["points"]} if item.get("dashed") else set(places)
        cells = [_at(place, item["points"]) if place in shown else "" for place in places]
        table.add(str(item["name"]), *cells)
    return table


def _at(place: float, points: Sequence[Sequence[float]]) -> str:
    """Return the value at the last point up to ``place``; nothing beyond the end of the series."""
    before = [value for x, value in points if x <= place]
    if not before or place > points[-1][0]:
        return ""
    return f"{before[-1]:.2f}"


def _cell(value: object) -> str:
    return number(value) if isinstance(value, int | float) else "" if value is None else str(value)
