"""Sections of a report, as data; ``lesson_runner.report`` draws them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Cell = str | int | float | bool | None
"""A cell of a table; ``None`` is an empty one. NaN and infinities are shown as "not finite"."""
Point = tuple[float, float]

TOO_LARGE = 10**300
"""Numbers of this size or larger are shown as "not finite": no axis can hold them."""


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A text with a title.

    Attributes:
        title: shown above the text, as plain text.
        text: plain text; lines end with ``\\n``.
        marks: ``(start, end, kind)`` for parts of the text to highlight. ``start`` and ``end`` count
            characters as slices do; ``kind`` is ``prompt``, ``invented`` (a word that the model made up) or
            ``copied`` (a passage from the training text). Other kinds are ignored.
        row: the name of its row in a grid; texts with the same row are shown next to each other. Empty means
            no grid.
    """

    title: str
    text: str
    marks: tuple[tuple[int, int, str], ...] = ()
    row: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """
    Texts, shown next to each other.

    Attributes:
        title: the section's heading, as plain text.
        items: the texts, in order.
        note: one or two sentences below the heading; empty if there are none.
        conclusion: a sentence that is also printed at the end of a run and at the top of a report's page;
            empty if there is none.
    """

    title: str
    items: tuple[Passage, ...]
    note: str = ""
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table.

    Attributes:
        title: the section's heading, as plain text.
        columns: the names of the columns.
        rows: each with one cell for each column: text, a number, a boolean, or ``None`` for an empty cell.
        note: as for :class:`Texts`.
        conclusion: as for :class:`Texts`.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of a chart.

    Attributes:
        name: its name in the legend.
        points: ``(x, y)`` pairs, in any order; those that are not finite are left out.
        dashed: true for a line that is not from this run but is shown for comparison; it has values only at
            its own points.
    """

    name: str
    points: tuple[Point, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """
    Lines over a common x axis.

    Attributes:
        title: the section's heading, as plain text.
        lines: the lines, in the legend's order.
        x: the label of the x axis, with its unit.
        y: the label of the y axis, with its unit.
        stages: named places on the x axis, as ``(x, name)``.
        note: as for :class:`Texts`.
        conclusion: as for :class:`Texts`.
    """

    title: str
    lines: tuple[Line, ...]
    x: str = "x"
    y: str = "y"
    stages: tuple[tuple[float, str], ...] = ()
    note: str = ""
    conclusion: str = ""


Section = Texts | Table | Series


def checked_section(section: Section) -> Section:
    """
    Return a section whose fields all have the annotated types, whatever a plugin put into them.

    Lists become tuples, points are sorted and finite, numbers too large for an axis become NaN, and other
    objects become text. A section that cannot be converted becomes :class:`Texts` without items; its note
    says what is wrong.
    """
    try:
        return _checked(section)
    except Exception as error:  # objects from a plugin may raise anything
        given = (section.title, section.note, section.conclusion)
        title, note, conclusion = (text if isinstance(text, str) else "" for text in given)
        problem = f"This section cannot be shown: {type(error).__name__}: {error}"
        return Texts(title, (), f"{note} {problem}".strip(), conclusion)


def _checked(section: Section) -> Section:
    title, note, conclusion = str(section.title), str(section.note), str(section.conclusion)
    if isinstance(section, Texts):
        return Texts(title, tuple(map(_passage, _items(section.items))), note, conclusion)
    if isinstance(section, Table):
        columns = tuple(map(str, _items(section.columns)))
        rows = tuple(tuple(map(_cell, _items(row))) for row in _items(section.rows))
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"a row has {len(row)} cells, and there are {len(columns)} columns")
        return Table(title, columns, rows, note, conclusion)
    stages = tuple((float(x), str(name)) for x, name in _items(section.stages))
    if not all(math.isfinite(x) for x, _ in stages):
        raise ValueError("the place of a stage is not finite")
    lines = tuple(map(_line, _items(section.lines)))
    return Series(title, lines, str(section.x), str(section.y), stages, note, conclusion)


def _items(value: Any) -> tuple[Any, ...]:
    """Return a tuple or list as a tuple; iterators are refused because they may never end."""
    if not isinstance(value, tuple | list):
        raise TypeError(f"{value!r} is not a tuple")
    return tuple(value)


def _passage(item: Passage) -> Passage:
    marks = tuple((int(start), int(end), str(kind)) for start, end, kind in _items(item.marks))
    return Passage(str(item.title), str(item.text), marks, str(item.row))


def _line(line: Line) -> Line:
    """Return a line with only the points that can be drawn: no infinite or missing values."""
    pairs = ((float(x), float(y)) for x, y in _items(line.points) if x is not None and y is not None)
    return Line(str(line.name), tuple(sorted(filter(_finite, pairs))), bool(line.dashed))


def _finite(numbers: Iterable[float]) -> bool:
    return all(map(math.isfinite, numbers))


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) < TOO_LARGE else math.nan
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
