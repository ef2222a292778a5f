"""The sections of plugins as a page shows them: texts, tables, and drawings with their numbers."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from lesson_runner.model import Cell, Line, Passage, Section, Series, Table, Texts
from lesson_runner.report.html import plots
from lesson_runner.report.html.thinning import sampled
from lesson_runner.report.runs.formatting import cell, printable
from lesson_runner.report.runs.sections import (
    KINDS,
    MAX_ITEMS,
    MAX_ROWS,
    MOST_PLACES,
    Piece,
    as_table,
    by_row,
    left_out,
    pieces,
)
from lesson_runner.report.text import number

MAX_BARS = MOST_PLACES
MOST_ACROSS = 4
"""Texts next to each other on a wide screen."""
TABLE_POINTS = 25
"""Rows of the table of a curve, not counting those at the ends of lines."""
_SHORT = 5
"""Characters of a name that fit below a bar, if there are at most :data:`_FEW` bars."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing; ``narrow`` replaces ``wide`` on a phone, if it is not empty."""

    caption: str
    wide: Markup
    narrow: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a page: cells as texts, and which columns hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class TextView:
    """A text, in pieces."""

    title: str
    pieces: tuple[Piece, ...]
    left_out: int
    """Characters at its end that are not shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """Texts next to each other."""

    name: str
    across: int
    """How many are shown next to each other where there is room, in lines of about equal length."""
    items: tuple[TextView, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A section, for the template."""

    title: str
    note: str
    anchor: str
    kind: str
    """``texts``, ``table``, ``series`` (curves), or ``bars`` (a series that is drawn as bars)."""
    rows: tuple[Row, ...] = ()
    marks: tuple[str, ...] = ()
    """The kinds of marks in its texts."""
    drawings: tuple[Drawing, ...] = ()
    legend: tuple[str, ...] = ()
    """The names for the numbers below bars."""
    grid: Grid | None = None
    remark: str = ""
    """What is not shown, and why."""


def view(section: Section, place: int, *, draw: bool) -> View:
    """
    Return a section for the template.

    Args:
        place: its number on the page.
        draw: False if matplotlib is not installed.
    """
    anchor = f"section-{place}"
    if isinstance(section, Texts):
        return _texts(section, anchor)
    if isinstance(section, Table):
        return _table(section, anchor, draw=draw)
    hidden = _hidden(len(section.lines) - MAX_ITEMS, "lines")
    series = replace(section, lines=section.lines[:MAX_ITEMS])
    table = as_table(series)
    if table is None:
        return _series(series, anchor, hidden, draw=draw)
    top = max((y for line in series.lines for _, y in line.points), default=0)  # one scale for all
    return replace(_table(table, anchor, draw=draw, top=top), kind="bars", remark=hidden)


def _texts(section: Texts, anchor: str) -> View:
    rows = tuple(
        Row(name, _across(len(items)), tuple(map(_text, items)))
        for name, items in by_row(section.items[:MAX_ITEMS]).items()
    )
    found = {kind for row in rows for item in row.items for piece in item.pieces for kind in piece.kinds}
    marks = tuple(kind for kind in KINDS if kind in found)
    hidden = _hidden(len(section.items) - MAX_ITEMS, "texts")
    return View(section.title, section.note, anchor, "texts", rows, marks, remark=hidden)


def _text(item: Passage) -> TextView:
    return TextView(item.title, pieces(item), left_out(item))


def _across(count: int) -> int:
    rows = max(1, -(-count // MOST_ACROSS))
    return max(1, -(-count // rows))


def label_of(piece: Piece) -> str:
    """Return the CSS classes of a piece."""
    return " ".join(piece.kinds)


def _hidden(count: int, what: str) -> str:
    return f"{count:,} more {what} are not shown here" if count > 0 else ""


def _table(table: Table, anchor: str, *, draw: bool, top: float = 0) -> View:
    given = table.rows[:MAX_ROWS]
    rows = tuple(tuple(map(cell, row)) for row in given)
    values = [_numbers([row[n] for row in given]) for n in range(len(table.columns))]
    numeric = tuple(column is not None for column in values)
    grid = Grid(table.columns, rows, numeric)
    names = [row[0] for row in rows] if table.columns else []
    drawings: tuple[Drawing, ...] = ()
    legend: tuple[str, ...] = ()
    if draw and 2 <= len(rows) <= MAX_BARS and numeric and not numeric[0]:
        labels, legend = _labels(names)
        drawings = tuple(
            drawing
            for n, (name, column) in enumerate(zip(table.columns, values, strict=True))
            if column is not None and (drawing := _bars(name, column, names, labels, f"{anchor}-{n}", top))
        )
    remark = _hidden(len(table.rows) - MAX_ROWS, "rows")
    legend = legend if drawings else ()
    return View(
        table.title, table.note, anchor, "table", drawings=drawings, legend=legend, grid=grid, remark=remark
    )


def _numbers(column: Sequence[Cell]) -> list[float | None] | None:
    """Return a column of finite numbers and gaps; None if there is anything else in it, or only gaps."""
    numbers = [
        item
        for item in column
        if item is None
        or (isinstance(item, int | float) and not isinstance(item, bool) and math.isfinite(item))
    ]
    return numbers if len(numbers) == len(column) and any(item is not None for item in numbers) else None


def _labels(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels below bars: short names, or else numbers, and the names they stand for."""
    short = tuple(printable(name).strip() for name in names)
    if len(short) <= _FEW and all(0 < len(name) <= _SHORT for name in short):
        return short, ()
    numbers = tuple(str(n) for n in range(1, len(names) + 1))
    return numbers, tuple(names)


def _bars(
    column: str,
    values: Sequence[float | None],
    names: Sequence[str],
    labels: Sequence[str],
    anchor: str,
    top: float = 0,
) -> Drawing | None:
    description = "; ".join(
        f"{name}: {cell(value) or 'none'}" for name, value in zip(names, values, strict=True)
    )
    try:
        return Drawing(
            column, Markup(plots.bars(column, values, labels, anchor, printable(description), top))
        )
    except Exception:  # numbers that no axis can hold; the table shows them
        return None


def _series(series: Series, anchor: str, remark: str, *, draw: bool) -> View:
    drawable = replace(series, lines=tuple(line for line in series.lines if line.points))
    description = " ".join(_in_words(line, series) for line in drawable.lines)
    drawings: tuple[Drawing, ...] = ()
    if draw and drawable.lines:
        try:
            wide, narrow = (
                Markup(plots.curves(drawable, f"{anchor}-{name}", size, printable(description)))
                for name, size in (("wide", plots.WIDE), ("narrow", plots.NARROW))
            )
            drawings = (Drawing("", wide, narrow),)
        except Exception as error:  # numbers that no axis can hold; the table shows them
            remark = f"This cannot be drawn: {error}"
    grid = _grid(drawable)
    return View(series.title, series.note, anchor, "series", drawings=drawings, grid=grid, remark=remark)


def _grid(series: Series) -> Grid:
    """Return the lines as a table, a column each: at every place the last value up to it."""
    every = sorted({x for line in series.lines for x, _ in line.points})
    ends = {line.points[-1][0] for line in series.lines}
    places = sorted({*sampled(every, TABLE_POINTS), *ends})
    rows = tuple((number(x), *(_at(x, line) for line in series.lines)) for x in places)
    return Grid((series.x, *(line.name for line in series.lines)), rows, (True,) * (len(series.lines) + 1))


def _at(place: float, line: Line) -> str:
    """Return a line's value; a line for comparison has values at its own points only."""
    after = bisect_right(line.points, place, key=lambda point: point[0])
    if not after or place > line.points[-1][0]:
        return ""
    x, y = line.points[after - 1]
    return number(y) if x == place or not line.dashed else ""


def _in_words(line: Line, series: Series) -> str:
    """Return a line in words, for readers who do not see it."""
    (first, begin), (last, end) = line.points[0], line.points[-1]
    kind = " (for comparison)" if line.dashed else ""
    start, stop = f"{series.x} {number(first)}", f"{series.x} {number(last)}"
    return f"{line.name}{kind}: from {number(begin)} at {start} to {number(end)} at {stop}."
