"""Fewer points of a curve, without changing what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

Point = tuple[float, float]


def thinned(points: Sequence[Point], columns: int, start: float, end: float) -> list[Point]:
    """
    Return at most four points of every column of pixels: its first, lowest, highest and last.

    A line through these covers the same pixels as one through all points: the M4 aggregation of Jugel,
    Jerzak, Hackenbroich and Markl, "M4: A Visualization-Oriented Time Series Data Aggregation" (VLDB 2014).
    Spikes stay, which a mean would hide and every n-th point would miss.

    Args:
        points: ``(x, y)``, by rising x.
        columns: how many pixels the axis from ``start`` to ``end`` is wide.
    """
    if len(points) <= 4 * columns or end <= start:
        return list(points)

    def column(point: Point) -> int:
        return int((point[0] - start) / (end - start) * columns)

    return [point for _, group in groupby(points, column) for point in _kept(list(group))]


def _kept(group: Sequence[Point]) -> Iterator[Point]:
    lowest = min(range(len(group)), key=lambda index: group[index][1])
    highest = max(range(len(group)), key=lambda index: group[index][1])
    for index in sorted({0, lowest, highest, len(group) - 1}):
        yield group[index]


def sampled(places: Sequence[float], count: int) -> list[float]:
    """Return ``count`` of the places at equal distances in the list, the first and the last among them."""
    if len(places) <= count:
        return list(places)
    return [places[round(index * (len(places) - 1) / (count - 1))] for index in range(count)]
