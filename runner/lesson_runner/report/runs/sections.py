"""What the formats share about sections: limits, rows of texts, marked pieces of a text, series as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from lesson_runner.model import Passage, Series, Table

MAX_TEXT = 10_000
"""Characters shown of a text."""
MAX_ITEMS = 60
"""Texts, or lines, shown of a section."""
MAX_ROWS = 500
MOST_PLACES = 12
"""Named places on an axis up to which a series is shown as a table."""
KINDS = ("prompt", "invented", "copied")
"""Kinds of marks that reports show; others are ignored."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, with the kinds of the marks on it."""

    text: str
    kinds: tuple[str, ...] = ()
    """Some of :data:`KINDS`, in that order."""


def by_row(items: Iterable[Passage]) -> dict[str, list[Passage]]:
    """Return texts by the names of their rows, in order; the name is empty for texts without a row."""
    found: dict[str, list[Passage]] = {}
    for item in items:
        found.setdefault(item.row, []).append(item)
    return found


def as_table(series: Series) -> Table | None:
    """Return lines with values at a few named places only as a table, a row for each place; else None."""
    names = dict(series.stages)
    lines = [line for line in series.lines if line.points]
    places = sorted({x for line in lines for x, _ in line.points})
    if not 1 < len(places) <= MOST_PLACES or not names.keys() >= set(places) or any(n.dashed for n in lines):
        return None
    columns = (series.x, *(line.name for line in lines))
    rows = tuple((names[x], *(dict(line.points).get(x) for line in lines)) for x in places)
    return Table(series.title, columns, rows, series.note)


def pieces(item: Passage) -> tuple[Piece, ...]:
    """Return the first :data:`MAX_TEXT` characters of a text, without empty lines at its ends, in pieces."""
    skipped = len(item.text) - len(item.text.lstrip("\n"))
    marks = [(start - skipped, end - skipped, kind) for start, end, kind in item.marks]
    return cut(item.text.strip("\n")[:MAX_TEXT], marks)


def left_out(item: Passage) -> int:
    """Return how many characters :func:`pieces` leaves out at the end."""
    return max(0, len(item.text.strip("\n")) - MAX_TEXT)


def cut(text: str, marks: Iterable[tuple[int, int, str]]) -> tuple[Piece, ...]:
    """
    Return a text in pieces, cut wherever a mark begins or ends.

    Args:
        marks: start, end and kind; unknown kinds, and what lies outside the text, are ignored.
    """
    valid = [(max(0, start), min(end, len(text)), kind) for start, end, kind in marks if kind in KINDS]
    starts: dict[int, list[str]] = {}
    ends: dict[int, list[str]] = {}
    for start, end, kind in valid:
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
