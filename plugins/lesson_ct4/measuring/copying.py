"""Passages of a text that stand in another one, letter by letter."""

from __future__ import annotations

from collections.abc import Callable, Iterable

COPY_LENGTH = 20
"""Characters from which on a passage that also stands in the corpus counts as copied: about four words."""
_PIECE = COPY_LENGTH // 2
_SIDE = (COPY_LENGTH - _PIECE) // 2
_PLACES = 100
"""Of a piece that the source repeats more often than this, the first places are looked at."""


class Passages:
    """Finds passages of a source in other texts.

    A passage of `COPY_LENGTH` covers one of the pieces of half that length that the source is cut into: only
    those are looked up. No piece of tiny Shakespeare, or of the synthetic play, occurs `_PLACES` times.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._places: dict[str, list[int]] = {}
        for start in range(0, len(source) - _PIECE + 1, _PIECE):
            self._places.setdefault(source[start : start + _PIECE], []).append(start)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return where passages of `COPY_LENGTH` or more characters begin and end in ``text``, in order.

        None can be made longer; they can overlap. The longest is among them, and every character that stands
        in any such passage stands in one of them.
        """
        spans: set[tuple[int, int]] = set()
        followed: dict[int, int] = {}  # how far the text was laid along the source, by the shift between them
        start = reach = settled = 0
        while start <= len(text) - _PIECE:
            # Passages from inside the one found last are parts of it, or go beyond its end.
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
        """Tell whether the passage around a piece may go on far enough, on one side at least."""
        end, after = start + _PIECE, place + _PIECE
        return (
            text[end : end + _SIDE] == self._source[after : after + _SIDE]
            or text[max(0, start - _SIDE) : start] == self._source[max(0, place - _SIDE) : place]
        )

    def _around(self, text: str, start: int, place: int) -> tuple[int, int]:
        """Return the passage of ``text`` around ``start`` that is the same in the source around ``place``."""
        source = self._source

        def same_before(size: int) -> bool:
            return text[start - size : start] == source[place - size : place]

        def same_after(size: int) -> bool:
            return text[start : start + size] == source[place : place + size]

        before = _largest(same_before, min(start, place))
        return start - before, start + _largest(same_after, min(len(text) - start, len(source) - place))


def _largest(holds: Callable[[int], bool], limit: int) -> int:
    """Return the largest size up to ``limit`` for which ``holds``; what holds for one holds for all below."""
    size = 1
    while size <= limit and holds(size):
        size *= 2
    low, high = size // 2, min(size, limit + 1)  # holds for low, not for high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans that cover the same places, in order, and apart from each other."""
    apart: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if apart and first <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(last, apart[-1][1])
        else:
            apart.append((first, last))
    return apart
