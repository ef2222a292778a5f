"""
Redact secrets in what a run shows and stores.

There are two kinds of secrets: declared values, and texts that look like tokens, which ``secrets.py`` finds.
Declared values are searched in a text and in all its views (``views.py``), such as decoded or unwrapped;
tokens in the unchanged text, and without escape sequences and invisible characters. A secret that appears in
no view is not found.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lesson_runner.execute.redaction.own_words import NAMES, STRUCTURE, WORDS
from lesson_runner.execute.redaction.screening import Screen
from lesson_runner.execute.redaction.secrets import find
from lesson_runner.execute.redaction.views import APART, UNFINISHED, View, views

REDACTED = "[redacted]"
SHORTEST = 4
"""Shorter values would be found in half of all words."""
SHORTEST_ENCODED = 6
"""Shorter values would be found by chance in decoded base64 and hexadecimal digits."""
SHORTEST_LINE = 8
"""Lines of a multi-line value that are at least this long count as secrets themselves."""
MOST_HELD = 64
"""How many lines are held back while a value that may start in them is incomplete."""
KEY_LINES = 400
"""More lines than any private key has."""
TAIL = 16_384
"""Characters at the end of a text that are searched for the start of an incomplete value."""
_OWN_VALUES = re.compile(r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}-\d{6}-.*", re.DOTALL)
"""Digests, times and names of runs. They hold the lesson's id: a run does not start if that is a secret."""
_LONG_VALUE = 16
"""Inside a digest, time or run name, only declared values of at least this length are secrets."""

_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_KEY_END = "-----END "
_KEY_LINE = re.compile(r"[\s>|\"'+]*(?:[A-Za-z0-9+/=]{1,100}|(?:Proc-Type|DEK-Info):.*)?[\s\"'\\+n,]*")

Span = tuple[int, int]


class Redactor:
    """
    Replaces secrets by :data:`REDACTED`.

    Args:
        values: the declared secrets; each line of a multi-line secret counts. Values with fewer than
            :data:`SHORTEST` characters are ignored.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        found: set[str] = set()
        for value in values:
            rows = [row.strip() for row in value.strip().splitlines()]
            least = SHORTEST if len(rows) == 1 else SHORTEST_LINE
            for row in rows:
                if len(row) >= least:
                    found |= set(_forms(row))
        self.values = tuple(sorted(found, key=lambda value: (-len(value), value)))
        self._long = tuple(value for value in self.values if len(value) >= SHORTEST_ENCODED)
        self._longest = max(map(len, found), default=0)
        self._screen = Screen(self.values)

    @property
    def raw(self) -> tuple[bytes, ...]:
        """The declared values as bytes, to search binary data."""
        return tuple(value.encode("utf-8", "surrogateescape") for value in self._long)

    def text(self, text: str) -> str:
        """Redact the secrets in a text of one or more lines."""
        return _redacted(text, self.spans(text))

    def data(self, value: Any) -> Any:
        """
        Redact the secrets in the keys and values of JSON data.

        Keys stay distinct. Words of the runner itself are kept, see
        :mod:`lesson_runner.execute.redaction.own_words`. A number that is a secret becomes ``None``.
        """
        return self._data(value, "")

    def _data(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            return value if key in STRUCTURE and self._is_own_value(value) else self.text(value)
        if isinstance(value, Mapping):
            kept: dict[Any, Any] = {}
            for name, item in value.items():
                shown = name if name in NAMES or not isinstance(name, str) else self.text(name)
                kept[_unique_name(kept, shown) if shown != name else name] = self._data(item, str(name))
            return kept
        if isinstance(value, list | tuple):
            return [self._data(item, key) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and key not in NAMES:
            return None if self._is_secret(str(value)) else value
        return value

    def _is_own_value(self, value: str) -> bool:
        if value in WORDS:
            return True
        return bool(_OWN_VALUES.fullmatch(value)) and not any(
            len(item) >= _LONG_VALUE and item in value for item in self.values
        )

    def _is_secret(self, value: str) -> bool:
        return any(item in (value, value.removesuffix(".0")) for item in self._long)

    def spans(self, text: str) -> list[Span]:
        """Return the places of secrets, in order and without overlaps."""
        if not self.values:
            return _merged(self._spans(text, views(text, words=True)))
        found = self._spans(text, views(text, escapes=False))
        for start, end in self._screen.suspects(text):
            part = text[start:end]
            found += [(start + begin, start + stop) for begin, stop in self._spans(part, views(part))]
        return _merged(found)

    def _spans(self, text: str, seen: Iterable[View]) -> list[Span]:
        found: list[Span] = []
        for view in seen:
            spans = list(self._declared(view))
            if view.words:
                spans += [(secret.start, secret.end) for secret in find(view.text)]
            if spans and view.steps:
                starts, ends = view.places(text)
                spans = [(starts[start], ends[end - 1]) for start, end in spans]
            found += spans
        return found

    def declared(self, text: str) -> list[Span]:
        """Return the places of declared values in a text itself, ignoring its views."""
        return list(self._declared(View(text)))

    def _declared(self, view: View) -> Iterator[Span]:
        """Yield the places of declared values in a view; they may overlap."""
        text = view.text
        for value in self._values_for(view):
            start = text.find(value)
            while start >= 0:
                yield start, start + len(value)
                start = text.find(value, start + 1)

    def _values_for(self, view: View) -> Sequence[str]:
        return self._long if any(step.picks for step in view.steps) else self.values

    def partial_start(self, text: str) -> int | None:
        """Return where a declared value may start that is cut off by the end of the text, if any."""
        if not self.values:
            return None
        offset = max(0, len(text) - min(6 * self._longest + 64, TAIL))
        tail = text[offset:]

        begins = [
            offset + (view.places(tail)[0][start] if view.steps else start)
            for view in views(tail)
            if (start := self._partial_start_in(view)) is not None
        ]
        return min(begins, default=None)

    def spans_and_partial(self, text: str) -> tuple[list[Span], int | None]:
        """Return the results of :meth:`spans` and :meth:`partial_start`."""
        return self.spans(text), self.partial_start(text)

    def _partial_start_in(self, view: View) -> int | None:
        """Return where the end of a view starts that matches the start of a declared value."""
        first: int | None = None
        # Decoded base64 has four ends, one for each offset.
        picked = any(step.picks for step in view.steps)
        rows = (
            [match.span() for match in re.finditer(f"[^{APART}]+", view.text)][-8:]
            if picked
            else [(0, len(view.text))]
        )
        for begin, end in rows:
            for stop in _stops(view.text, begin, end):
                for value in self._values_for(view):
                    start = view.text.find(value[:SHORTEST], max(begin, stop - len(value) - 1), stop)
                    # Base64 is padded before decoding, so the last two bytes may not belong to the text.
                    while start >= 0 and not any(
                        size >= SHORTEST and value.startswith(view.text[start : start + size])
                        for size in range(stop - start, stop - start - 1 - 2 * picked, -1)
                    ):
                        start = view.text.find(value[:SHORTEST], start + 1, stop)
                    if start >= 0:
                        first = start if first is None else min(first, start)
        return first


class LineRedactor:
    """
    Redacts output line by line.

    A line whose end may be the start of a declared value is held back until the next line: programs wrap long
    lines. After the first line of a private key, its other lines are redacted as they arrive.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: list[str] = []
        self._key_lines = 0
        """How many further lines may belong to a private key."""

    def feed(self, lines: Iterable[str]) -> list[str]:
        """Add lines, and return those that can be shown now."""
        rows = [*self._held, *lines]
        text = "\n".join(rows)
        if self._key_lines or _KEY_BEGIN.search(text):
            rows = [*self._held, *map(self._without_key, rows[len(self._held) :])]
            text = "\n".join(rows)
        spans, begin = self._redactor.spans_and_partial(text)
        if begin is None:
            self._held = []
            return _redacted(text, spans).split("\n") if rows else []
        begin = text.rfind("\n", 0, begin) + 1
        for start, end in reversed(spans):  # a value may start before the held lines and end in them
            if start < begin < end:
                begin = text.rfind("\n", 0, start) + 1
        if text.count("\n", begin) >= MOST_HELD:
            return [*_redacted(text, spans).split("\n"), *self._release()]
        self._held = text[begin:].split("\n")
        ready = [span for span in spans if span[0] < begin]
        return _redacted(text[: begin - 1], ready).split("\n") if begin else []

    def flush(self) -> list[str]:
        """Return the lines that were held back."""
        held = self._release()
        return self._redactor.text("\n".join(held)).split("\n") if held else []

    @property
    def waits(self) -> bool:
        """True if lines are held back."""
        return bool(self._held)

    def _release(self) -> list[str]:
        held, self._held = self._held, []
        return held

    def _without_key(self, line: str) -> str:
        begin = None if _KEY_END in line else _KEY_BEGIN.search(line)
        if begin is not None:
            self._key_lines = KEY_LINES
            return line[: begin.end()] + (REDACTED if line[begin.end() :].strip() else "")
        if self._key_lines and _KEY_LINE.fullmatch(line):
            self._key_lines -= 1
            return REDACTED if line.strip() else line
        self._key_lines = 0
        return line


def _stops(text: str, begin: int, end: int) -> Iterator[int]:
    """Yield the end of a row, and its end without up to two incomplete escapes."""
    yield end
    for _ in range(2):
        cut = UNFINISHED.search(text[max(begin, end - 40) : end])
        if cut is None:
            return
        end = max(begin, end - 40) + cut.start()
        yield end


def _forms(value: str) -> Iterator[str]:
    """Yield a value and its views: a view of a text may hold one of them instead of the value."""
    shortest = max(SHORTEST, len(value) // 2)
    data = value.encode("utf-8", "surrogateescape")  # as in the environment
    for form in {value, data.decode("latin-1"), value.replace(" ", "+")}:
        for view in views(form):
            if len(view.text) >= shortest and not any(step.picks for step in view.steps):
                yield view.text
    if not value.isascii():  # base64 and hexadecimal views find only ASCII text
        yield data.hex()
        for before, first in ((0, 0), (1, 2), (2, 3)):  # without characters that depend on the neighbours
            text = b64encode(bytes(before) + data).decode()[first : 8 * (before + len(data)) // 6]
            if len(text) >= SHORTEST_LINE:
                yield text


def _unique_name(taken: Mapping[str, Any], name: str) -> str:
    """Return a name, with a number appended if it is taken."""
    number, other = 1, name
    while other in taken:
        number += 1
        other = f"{name}-{number}"
    return other


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _redacted(text: str, spans: Iterable[Span]) -> str:
    """Replace the secrets in a text, and keep its number of lines."""
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        secret = text[start:stop]
        shown = (
            REDACTED
            if "\n" not in secret
            else "\n".join(REDACTED if row.strip() else row for row in secret.split("\n"))
        )
        parts += (text[end:start], shown)
        end = stop
    return "".join((*parts, text[end:])) if parts else text
