"""
What plugins want shown, read from their data.

A plugin may give anything: what cannot be read becomes :class:`Unreadable` and is shown as that. Sizes are
bounded, so that no section makes a report that nobody can open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lesson_runner.model import Section
from lesson_runner.report.runs.phrases import cell

MAX_TEXT = 10_000
"""Characters shown of a text."""
MAX_ITEMS = 60
"""Texts, or series, shown of a section."""
MAX_ROWS = 500
MOST_PLACES = 12
"""Named places on an axis up to which a series is a table as well as a curve."""
_TOO_LARGE = 10**300
"""Numbers that no axis holds; beyond them, no float either."""
KINDS = ("prompt", "invented", "copied")
"""What may be said of a passage; any other kind is ignored."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage of a text, with what is said of it."""

    text: str
    kinds: tuple[str, ...] = ()
    """Some of :data:`KINDS`, in that order."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text with a title; ``left_out`` characters of it are not here, and ``row`` names its row."""

    title: str
    pieces: tuple[Piece, ...]
    left_out: int = 0
    row: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to be read beside each other, in rows."""

    title: str
    note: str
    items: tuple[Passage, ...]
    left_out: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is said of any passage in it, in the order of :data:`KINDS`."""
        found = {kind for item in self.items for piece in item.pieces for kind in piece.kinds}
        return tuple(kind for kind in KINDS if kind in found)

    @property
    def rows(self) -> tuple[tuple[str, tuple[Passage, ...]], ...]:
        """The texts by the names of their rows, in order; the name is empty where they have none."""
        found: dict[str, list[Passage]] = {}
        for item in self.items:
            found.setdefault(item.row, []).append(item)
        return tuple((name, tuple(items)) for name, items in found.items())


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as given, with finite numbers, texts and ``None``; ``left_out`` rows are not here."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A series: points from left to right; ``dashed`` if it is there to compare with."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Lines over a common axis; ``stages`` are places on it with their names."""

    title: str
    note: str
    x: str
    y: str
    lines: tuple[Line, ...]
    stages: tuple[tuple[float, str], ...] = ()
    left_out: int = 0


def as_table(series: Series) -> Table | None:
    """Return lines with values at a few named places only as a table, a row for each place; else None."""
    names = dict(series.stages)
    lines = [line for line in series.lines if line.points]
    places = sorted({x for line in lines for x, _ in line.points})
    if not 1 < len(places) <= MOST_PLACES or not names.keys() >= set(places) or any(n.dashed for n in lines):
        return None
    columns = (series.x, *(line.name for line in lines))
    rows = tuple((names[x], *(dict(line.points).get(x) for line in lines)) for x in places)
    return Table(series.title, series.note, columns, rows, series.left_out)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A section whose data is not what its kind promises."""

    title: str
    note: str
    problem: str


Shape = Texts | Table | Series | Unreadable


def shape_of(section: Section) -> Shape:
    """Return a section as what it is."""
    title, note = str(section.title), str(section.note)
    readers: Mapping[str, Callable[[str, str, Any], Shape]] = {
        "texts": _texts,
        "table": _table,
        "series": _series,
    }
    try:
        if section.kind not in readers:
            raise ValueError(f"there is no kind {section.kind!r}; expected one of {', '.join(readers)}")
        return readers[section.kind](title, note, section.data)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        return Unreadable(title, note, f"{type(error).__name__}: {error}")


def _texts(title: str, note: str, data: Mapping[str, Any]) -> Texts:
    items = list(data["items"])
    passages = []
    for item in items[:MAX_ITEMS]:
        text = str(item["text"]).strip("\n")
        skipped = len(str(item["text"])) - len(str(item["text"]).lstrip("\n"))
        marks = [
            (int(mark["start"]) - skipped, int(mark["end"]) - skipped, str(mark["kind"]))
            for mark in item.get("marks", ())
        ]
        shown = text[:MAX_TEXT]
        row = str(item.get("row") or "")
        passages.append(Passage(str(item["title"]), cut(shown, marks), len(text) - len(shown), row))
    return Texts(title, note, tuple(passages), max(0, len(items) - MAX_ITEMS))


def cut(text: str, marks: Iterable[tuple[int, int, str]]) -> tuple[Piece, ...]:
    """
    Return a text in pieces, cut wherever something begins or ends to be said of it.

    Args:
        marks: start, end and kind; those of unknown kinds, and what lies outside the text, are ignored.
    """
    said = [(max(0, start), min(end, len(text)), kind) for start, end, kind in marks if kind in KINDS]
    starts: dict[int, list[str]] = {}
    ends: dict[int, list[str]] = {}
    for start, end, kind in said:
        if start < end:
            starts.setdefault(start, []).append(kind)
            ends.setdefault(end, []).append(kind)
    places = sorted({0, len(text), *starts, *ends})
    open_now = dict.fromkeys(KINDS, 0)
    pieces = []
    for here, there in pairwise(places):
        for kind in ends.get(here, ()):
            open_now[kind] -= 1
        for kind in starts.get(here, ()):
            open_now[kind] += 1
        pieces.append(Piece(text[here:there], tuple(kind for kind in KINDS if open_now[kind])))
    return tuple(pieces)


def _table(title: str, note: str, data: Mapping[str, Any]) -> Table:
    columns = tuple(str(name) for name in data["columns"])
    given = list(data["rows"])
    rows = []
    for row in given[:MAX_ROWS]:
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} cells, and there are {len(columns)} columns")
        rows.append(tuple(_plain(item) for item in row))
    return Table(title, note, columns, tuple(rows), max(0, len(given) - MAX_ROWS))


def _plain(item: Any) -> Any:
    if isinstance(item, int | float) and not abs(item) < _TOO_LARGE:
        return "not finite"
    return item if item is None or isinstance(item, str | int | float) else cell(item)


def _series(title: str, note: str, data: Mapping[str, Any]) -> Series:
    items = list(data["items"])
    lines = tuple(
        Line(str(item["name"]), _points(item["points"]), bool(item.get("dashed")))
        for item in items[:MAX_ITEMS]
    )
    stages = tuple((float(mark["x"]), str(mark["name"])) for mark in data.get("stages", ()))
    return Series(
        title,
        note,
        str(data.get("x", "x")),
        str(data.get("y", "y")),
        lines,
        stages,
        max(0, len(items) - MAX_ITEMS),
    )


def _points(points: Iterable[Sequence[Any]]) -> tuple[tuple[float, float], ...]:
    """Return the points that can be drawn; a loss that became infinite or NaN cannot."""
    pairs = [(float(x), float(y)) for x, y in points if x is not None and y is not None]
    return tuple(sorted(pair for pair in pairs if all(map(math.isfinite, pair))))
