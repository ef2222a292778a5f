"""Order the lessons of a folder by what they say about each other: "do this one first", "Next: …"."""

from __future__ import annotations

import heapq
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from lesson_runner.document.lesson_links import NUMBERS, UNDER_HEADING, Statement, statements
from lesson_runner.model import Lesson, Location

_NUMBERED = ("order", "weight", "nav_order", "sidebar_position")
"""Keys of the frontmatter with a lesson's place in a series, here and in site generators."""
_DIGITS = re.compile(r"(\d+)")
_LONGEST_NUMBER = 10
"""Digits; a longer number in a name is a date or a digest."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one lesson says about the order of two."""

    first: str
    """The id of the lesson that comes first."""
    then: str
    """The id of the other."""
    place: Location
    """Where it says so."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Lessons in an order in which they can be done."""

    lessons: tuple[Lesson, ...]
    ignored: tuple[Said, ...]
    """What does not hold in this order, because these statements go round in a circle."""


def order_by_links(lessons: Sequence[Lesson]) -> Ordered:
    """
    Return lessons in the order of their links to each other.

    A lesson comes after those that it requires (``prerequisites`` in the frontmatter, or "do this one first"
    and the like around a link), and before those that it announces ("Next: …"). Where nothing is said, the
    numbers in file names decide, then the frontmatter's ``order``, then the names. Of statements that go
    round in a circle, the weakest is ignored.
    """
    ranked = sorted(lessons, key=_usual_place)
    edges: dict[tuple[int, int], Statement] = {}
    for said in statements(ranked):
        known = edges.get((said.first, said.then))
        if known is None or said.strength > known.strength:
            edges[said.first, said.then] = said
    for first, then in [pair for pair, said in edges.items() if said.strength == UNDER_HEADING]:
        back = edges.get((then, first))
        if first < then and back and back.strength == UNDER_HEADING:  # each lists all the others
            del edges[first, then], edges[then, first]
    for pair in _series(ranked):
        edges.setdefault(pair, Statement(NUMBERS, *pair, Location(ranked[pair[1]].path, 1)))
    dropped = _break_circles(edges, len(ranked))
    order = _sorted(edges.keys() - dropped, len(ranked))
    ignored = [
        Said(ranked[a].id, ranked[b].id, edges[a, b].place)
        for a, b in sorted(dropped)
        if edges[a, b].strength > NUMBERS
    ]
    return Ordered(tuple(ranked[number] for number in order), tuple(ignored))


def _usual_place(lesson: Lesson) -> tuple[Any, ...]:
    """Return the sort key of a lesson: its number in the frontmatter, then its path, read by people."""
    path = str(lesson.path)
    parts = [
        (1, int(piece), "") if piece.isdecimal() and len(piece) < _LONGEST_NUMBER else (0, 0, piece.lower())
        for piece in _DIGITS.split(path)
    ]
    given = _given(lesson)
    return (math.inf if given is None else given, parts, path)


def _given(lesson: Lesson) -> float | None:
    numbers = [lesson.frontmatter.get(name) for name in _NUMBERED]
    return next((item for item in numbers if isinstance(item, int | float) and math.isfinite(item)), None)


def _series(lessons: Iterable[Lesson]) -> Iterator[tuple[int, int]]:
    """Yield each two that follow each other among files whose names differ from their first number on."""
    series: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, lesson in enumerate(lessons):
        if (
            _given(lesson) is None
            and (parts := _DIGITS.split(lesson.path.name, maxsplit=1))[1:]
            and len(parts[1]) < _LONGEST_NUMBER
        ):
            series[str(lesson.path.parent / parts[0])].append((int(parts[1]), number))
    for members in series.values():
        for (one, first), (other, then) in pairwise(sorted(members)):
            if one < other:
                yield first, then


def _break_circles(edges: Mapping[tuple[int, int], Statement], size: int) -> set[tuple[int, int]]:
    """Return the edges to leave out so that no circle is left: of each circle one of the weakest."""
    dropped: set[tuple[int, int]] = set()
    before: dict[int, list[int]] = {number: [] for number in range(size)}
    for first, then in sorted(edges):
        before[then].append(first)
    while True:
        try:
            TopologicalSorter(before).prepare()
        except CycleError as error:
            circle = error.args[1]  # each comes before the next
            weakest = min(pairwise(circle), key=lambda pair: (edges[pair].strength, -pair[0], pair))
            dropped.add(weakest)
            before[weakest[1]].remove(weakest[0])
        else:
            return dropped


def _sorted(edges: Iterable[tuple[int, int]], size: int) -> list[int]:
    """Return the numbers below ``size``, each after those that come before it, else in their order."""
    followers: dict[int, list[int]] = defaultdict(list)
    open_edges = [0] * size
    for first, then in edges:
        followers[first].append(then)
        open_edges[then] += 1
    ready = [number for number in range(size) if not open_edges[number]]
    result: list[int] = []
    while ready:
        number = heapq.heappop(ready)
        result.append(number)
        for then in followers[number]:
            open_edges[then] -= 1
            if not open_edges[then]:
                heapq.heappush(ready, then)
    return result
