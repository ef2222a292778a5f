"""
Find the lines of an output that may hold an escaped declared value; only these are decoded.

Decoding a log full of backslashes and percent signs in every order takes fifty times as long as searching it.
But an escaped value leaves traces: four of its letters in a row, as plain text or in base64 or hexadecimal
digits; or an escape at least every fourth letter; or other text in base64 or hexadecimal digits. Lines
without any of these traces are not decoded.
"""

from __future__ import annotations

import re
from base64 import b32encode, b64encode
from collections.abc import Iterable, Iterator

from lesson_runner.execute.redaction.views import PICKS

GRAM = 4
"""How many letters in a row are a trace of a value."""
NARROW = 20
"""Shorter lines may be parts of one text that was wrapped after it was escaped."""
_MARK = re.compile(r"[%\\&=]")
_NO_LETTERS = bytes(number for number in range(256) if not chr(number).isalnum() or number > 127)
_NESTED = r"23|25|5[Cc]|26|3[DdBb]|amp;|#37;|#38;|#92;|x5[Cc]|x2[56]|u00(?:5[Cc]|2[56])"
_ESCAPE = re.compile(
    rf"(?:[%\\&=]|[^\t\n -~])(?:[%\\&=]|{_NESTED})*"
    r"(?:u\{?[0-9A-Fa-f]{1,8}\}?|U[0-9A-Fa-f]{8}|x\{?[0-9A-Fa-f]{1,8}\}?|#[xX]?[0-9A-Fa-f]{1,8};?"
    r"|[0-7]{3}|[0-9A-Fa-f]{2}|[0-7]|[A-Za-z]{2,8};|[A-Za-z])?(?:\[[0-9;]*[A-Za-z])?"
)
_NEITHER = re.compile(r"[^A-Za-z0-9\\]+")


class Screen:
    """
    Finds the lines that may hold one of some values in escaped form.

    Args:
        values: the values and their other forms.
    """

    def __init__(self, values: Iterable[str]) -> None:
        values = tuple(values)
        letters = [_letters(value) for value in values]
        self._reach = max(map(len, values), default=0) // GRAM + 2
        fewest = min(map(len, letters), default=0)
        self._all = fewest < 2 * GRAM
        self._grams = frozenset(gram for value in values for row in _written(value) for gram in _grams(row))
        self._breaks = max(1, fewest // GRAM)
        self._dense = re.compile(rf"(?:\\[A-Za-z0-9]{{0,{GRAM - 1}}}){{{self._breaks}}}")

    def suspects(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of these lines, with the lines around them, in order."""
        if _MARK.search(text) is None:
            return
        if self._all:
            yield 0, len(text)
            return
        rows = text.split("\n")
        starts = [0]
        for row in rows:
            starts.append(starts[-1] + len(row) + 1)
        first = last = -1
        for number in self._hits(rows):
            if first >= 0 and number - self._reach > last:
                yield starts[first], starts[last] - 1
                first = -1
            if first < 0:
                first = max(0, number - self._reach, last)
            last = min(len(rows), number + self._reach + 1)
        if first >= 0:
            yield starts[first], starts[last] - 1

    def _hits(self, rows: list[str]) -> Iterator[int]:
        before = b""
        narrow = False
        for number, row in enumerate(rows):
            letters = before + _letters(row)
            before = letters[1 - GRAM :]
            marked = _MARK.search(row) is not None
            was_narrow, narrow = narrow, marked and len(row) < NARROW
            if (
                not self._grams.isdisjoint(_grams(letters))
                or (narrow and was_narrow)
                or (marked and (self._is_dense(row) or _picked(row)))
            ):
                yield number

    def _is_dense(self, row: str) -> bool:
        """Return whether a line has an escape at least every fourth letter, enough of them for a value."""
        reduced, count = _ESCAPE.subn(r"\\", row)
        return count >= self._breaks and self._dense.search(_NEITHER.sub("", reduced)) is not None


def _picked(row: str) -> bool:
    """Return whether a line holds text in base64 or hexadecimal digits."""
    return any(step.read(match) for step in PICKS for match in step.pattern.finditer(row))


def _letters(text: str) -> bytes:
    return text.encode("ascii", "ignore").translate(None, _NO_LETTERS)


def _grams(letters: bytes) -> Iterator[bytes]:
    return (letters[start : start + GRAM] for start in range(len(letters) - GRAM + 1))


def _written(value: str) -> Iterator[bytes]:
    """Yield the letters of a value, plain and encoded in base64, base32 and hexadecimal digits."""
    data = value.encode("utf-8", "surrogateescape")
    yield _letters(value)
    yield from (data.hex().encode(), data.hex().upper().encode())
    yield from (_letters(b64encode(bytes(before) + data).decode())[2:-2] for before in range(3))
    yield from (b32encode(bytes(before) + data).rstrip(b"=")[2:-2] for before in range(5))
