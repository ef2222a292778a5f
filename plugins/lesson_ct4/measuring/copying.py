"""Find passages of a text that occur verbatim in another text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

COPY_LENGTH = 20
"""A passage of at least this many characters that occurs in the corpus counts as copied: about four words."""
_PIECE = COPY_LENGTH // 2
_SIDE = (COPY_LENGTH - _PIECE) // 2
_PLACES = 100
"""If the source repeats a piece more often than this, only the first occurrences are checked."""


class Passages:
    """Finds passages of a source in other texts.

    The source is cut into pieces of half of `COPY_LENGTH`. A passage of `COPY_LENGTH` contains at least one
    whole piece, so only pieces are looked up. No piece of tiny Shakespeare or of the synthetic play occurs
    `_PLACES` times.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._places: dict[str, list[int]] = {}
        for start in range(0, len(source) - _PIECE + 1, _PIECE):
            self._places.setdefault(source[start : start + _PIECE], []).append(start)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return start and end in ``text`` of each passage of `COPY_LENGTH` or more characters, in order.

        Passages are maximal and can overlap. The longest passage is included, and every character that is
        part of any passage is covered.
        """
        spans: set[tuple[int, int]] = set()
        followed: dict[int, int] = {}  # how far the text was compared with the source, by offset between them
        start = reach = settled = 0
        while start <= len(text) - _PIECE:
            # A passage that starts inside the last one is part of it, or extends beyond its end.
            if settled < start < reach - COPY_LENGTH + 1:
                start = reach - COPY_LENGTH + 1
            for place in self._places.get(text[start : start + _PIECE], ())[:_PLACES]:
                if followed.get(place - start, 0) > start or not self._promising(text, start, place):
                    continue
                first, last = self._around(text, start, place)
                followed[place - start] = last
                if last - first >= COPY_LENGTH:
                    spans.add((first, last))
                if last > reach:
                    reach, settled = last, start + _PIECE
            start += 1
        return sorted(spans)

    def _promising(self, text: str, start: int, place: int) -> bool:
        """Return whether the match around a piece may extend far enough on at least one side."""
        end, after = start + _PIECE, place + _PIECE
        return (
            text[end : end + _SIDE] == self._source[after : after + _SIDE]
            or text[max(0, start - _SIDE) : start] == self._source[max(0, place - _SIDE) : place]
        )

    def _around(self, text: str, start: int, place: int) -> tuple[int, int]:
        """Return the longest match of ``text`` around ``start`` with the source around ``place``."""
        source = self._source

        def same_before(size: int) -> bool:
            return text[start - size : start] == source[place - size : place]

        def same_after(size: int) -> bool:
            return text[start : start + size] == source[place : place + size]

        before = _largest(same_before, min(start, place))
        return start - before, start + _largest(same_after, min(len(text) - start, len(source) - place))


def _largest(holds: Callable[[int], bool], limit: int) -> int:
    """Return the largest size up to ``limit`` for which ``holds`` is true; it is true for all sizes below."""
    size = 1
    while size <= limit and holds(size):
        size *= 2
    low, high = size // 2, min(size, limit + 1)  # holds for low, not for high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping and adjacent spans, and return them in order."""
    apart: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if apart and first <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(last, apart[-1][1])
        else:
            apart.append((first, last))
    return apart
