"""The sections of plugins as a page shows them: drawings, and the numbers behind each as a table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from lesson_runner.report.html import plots
from lesson_runner.report.html.thinning import sampled
from lesson_runner.report.runs.phrases import cell, printable
from lesson_runner.report.runs.shapes import (
    MOST_PLACES,
    Line,
    Passage,
    Piece,
    Series,
    Shape,
    Table,
    Texts,
    Unreadable,
    as_table,
)
from lesson_runner.report.text import number

MAX_BARS = MOST_PLACES
MOST_ACROSS = 4
"""Texts beside each other on a wide screen."""
TABLE_POINTS = 25
"""Rows of the table behind a curve, besides those at the ends of lines."""
_SHORT = 5
"""Characters of a name that fit below a bar, of at most :data:`_FEW`."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing; ``narrow`` takes the place of ``wide`` on a phone, if it is not empty."""

    caption: str
    wide: Markup
    narrow: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of a page: cells as texts, with the columns that hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Texts beside each other."""

    name: str
    across: int
    """How many, where there is room, so that what does not fit makes rows of about equal length."""
    items: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A section, for the template."""

    title: str
    note: str
    anchor: str
    kind: str
    texts: Texts | None = None
    rows: tuple[Row, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    legend: tuple[str, ...] = ()
    """What the numbers below bars stand for."""
    grid: Grid | None = None
    remark: str = ""
    """Why something is not shown as it could be."""


def view(shape: Shape, place: int, *, draw: bool) -> View:
    """
    Return a section for the template.

    Args:
        place: its number on the page.
        draw: False if there is nothing to draw with.
    """
    anchor = f"section-{place}"
    if isinstance(shape, Texts):
        hidden = _hidden(shape.left_out, "texts")
        rows = tuple(Row(name, _across(len(items)), items) for name, items in shape.rows)
        return View(shape.title, shape.note, anchor, "texts", shape, rows, remark=hidden)
    if isinstance(shape, Series):
        table = as_table(shape)
        top = max((y for line in shape.lines for _, y in line.points), default=0)  # one scale for all
        return (
            _series(shape, anchor, draw=draw) if table is None else _table(table, anchor, draw=draw, top=top)
        )
    if isinstance(shape, Table):
        return _table(shape, anchor, draw=draw)
    return View(shape.title, shape.note, anchor, "unreadable", remark=_why_not_drawn(shape))


def _across(count: int) -> int:
    rows = max(1, -(-count // MOST_ACROSS))
    return max(1, -(-count // rows))


def label_of(piece: Piece) -> str:
    """Return the CSS classes of a passage."""
    return " ".join(piece.kinds)


def _why_not_drawn(shape: Unreadable) -> str:
    return f"This section cannot be shown: {shape.problem}"


def _hidden(count: int, what: str) -> str:
    return f"{count:,} more {what} are not shown here" if count else ""


def _table(shape: Table, anchor: str, *, draw: bool, top: float = 0) -> View:
    rows = tuple(tuple(cell(item) for item in row) for row in shape.rows)
    numeric = tuple(_is_numeric([row[n] for row in shape.rows]) for n in range(len(shape.columns)))
    grid = Grid(shape.columns, rows, numeric)
    names = [row[0] for row in rows] if shape.columns else []
    drawings: tuple[Drawing, ...] = ()
    legend: tuple[str, ...] = ()
    if draw and 2 <= len(rows) <= MAX_BARS and numeric and not numeric[0]:
        labels, legend = _labels(names)
        drawings = tuple(
            drawing
            for n, column in enumerate(shape.columns)
            if numeric[n]
            and (
                drawing := _bars(column, [row[n] for row in shape.rows], names, labels, f"{anchor}-{n}", top)
            )
        )
    remark = _hidden(shape.left_out, "rows")
    legend = legend if drawings else ()
    return View(
        shape.title, shape.note, anchor, "table", drawings=drawings, legend=legend, grid=grid, remark=remark
    )


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether a column holds numbers, and nothing else but gaps."""
    found = [item for item in column if item is not None]
    return bool(found) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in found)


def _labels(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what stands below the bars: short names, or else numbers, and what they stand for."""
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
    told = "; ".join(f"{name}: {cell(value) or 'none'}" for name, value in zip(names, values, strict=True))
    try:
        return Drawing(column, Markup(plots.bars(column, values, labels, anchor, printable(told), top)))
    except Exception:  # numbers that no axis can hold; the table shows them
        return None


def _series(shape: Series, anchor: str, *, draw: bool) -> View:
    drawable = Series(
        shape.title,
        shape.note,
        shape.x,
        shape.y,
        tuple(line for line in shape.lines if line.points),
        shape.stages,
    )
    told = " ".join(_told(line, shape) for line in drawable.lines)
    remark = _hidden(shape.left_out, "lines")
    drawings: tuple[Drawing, ...] = ()
    if draw and drawable.lines:
        try:
            wide, narrow = (
                Markup(plots.curves(drawable, f"{anchor}-{name}", size, printable(told)))
                for name, size in (("wide", plots.WIDE), ("narrow", plots.NARROW))
            )
            drawings = (Drawing("", wide, narrow),)
        except Exception as error:  # numbers that no axis can hold; the table shows them
            remark = f"This cannot be drawn: {error}"
    grid = _numbers(drawable)
    return View(shape.title, shape.note, anchor, "series", drawings=drawings, grid=grid, remark=remark)


def _numbers(shape: Series) -> Grid:
    """Return the lines as a table, a column each: at every place the last value up to it."""
    every = sorted({x for line in shape.lines for x, _ in line.points})
    ends = {line.points[-1][0] for line in shape.lines}
    places = sorted({*sampled(every, TABLE_POINTS), *ends})
    rows = tuple((number(x), *(_at(x, line) for line in shape.lines)) for x in places)
    return Grid((shape.x, *(line.name for line in shape.lines)), rows, (True,) * (len(shape.lines) + 1))


def _at(place: float, line: Line) -> str:
    """Return a line's value; what is not of this run has values at its own places only."""
    after = bisect_right(line.points, place, key=lambda point: point[0])
    if not after or place > line.points[-1][0]:
        return ""
    x, y = line.points[after - 1]
    return number(y) if x == place or not line.dashed else ""


def _told(line: Line, shape: Series) -> str:
    """Return a line in words, for those who do not see it."""
    (first, begin), (last, end) = line.points[0], line.points[-1]
    kind = " (for comparison)" if line.dashed else ""
    start, stop = f"{shape.x} {number(first)}", f"{shape.x} {number(last)}"
    return f"{line.name}{kind}: from {number(begin)} at {start} to {number(end)} at {stop}."
