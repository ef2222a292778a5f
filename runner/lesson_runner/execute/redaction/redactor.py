"""
Keeping secrets out of what a run shows and stores.

Two kinds are known: values that were declared, and texts that look like tokens, which
``secrets.py`` finds. Values are looked for in a text and in all of its views (``views.py``), such as decoded
or unwrapped; tokens in the text and without its escapes and invisible characters. A secret that no view shows
is not recognised.
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
"""Fewer characters would be found in half of all words."""
SHORTEST_ENCODED = 6
"""Fewer bytes would be found by chance in what base64 and hexadecimal digits decode to."""
SHORTEST_LINE = 8
"""Of a value of several lines, each line of so many characters counts by itself."""
MOST_HELD = 64
"""So many lines wait at most for the rest of a value that may have begun in them."""
KEY_LINES = 400
"""A private key has fewer lines."""
TAIL = 16_384
"""Characters of the end of a text in which a value may begin that goes on after it."""
_OWN_VALUES = re.compile(r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}-\d{6}-.*", re.DOTALL)
"""Digests, times and names of runs. A lesson's id is no secret: a run does not begin if it is."""
_LONG_VALUE = 16
"""Of what is a digest only a declared value of so many characters is taken to be a secret instead."""

_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_KEY_END = "-----END "
_KEY_LINE = re.compile(r"[\s>|\"'+]*(?:[A-Za-z0-9+/=]{1,100}|(?:Proc-Type|DEK-Info):.*)?[\s\"'\\+n,]*")

Span = tuple[int, int]


class Redactor:
    """
    Replaces secrets by :data:`REDACTED`.

    Args:
        values: declared secrets; of those with several lines, each line counts. What has fewer than
            :data:`SHORTEST` characters is left out.
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
        """The declared values as bytes, for what is no text."""
        return tuple(value.encode("utf-8", "surrogateescape") for value in self._long)

    def text(self, text: str) -> str:
        """Return a text without the secrets in it; it may have several lines."""
        return _redacted(text, self.spans(text))

    def data(self, value: Any) -> Any:
        """
        Return data fit for JSON without the secrets in its keys and values.

        Keys stay different from each other. What the runner itself writes is left alone, see
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
        """Return where secrets are, in order; none of them overlap."""
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
        """Return where declared values stand in a text as they are, without looking at its views."""
        return list(self._declared(View(text)))

    def _declared(self, view: View) -> Iterator[Span]:
        """Yield where declared values are in a view; they may overlap."""
        text = view.text
        for value in self._values_for(view):
            start = text.find(value)
            while start >= 0:
                yield start, start + len(value)
                start = text.find(value, start + 1)

    def _values_for(self, view: View) -> Sequence[str]:
        return self._long if any(step.picks for step in view.steps) else self.values

    def partial_start(self, text: str) -> int | None:
        """Return where a declared value begins that the end of the text cuts off, if one may."""
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
        """Return :meth:`spans` and :meth:`partial_start`."""
        return self.spans(text), self.partial_start(text)

    def _partial_start_in(self, view: View) -> int | None:
        """Return where the end of a view begins that is the beginning of a declared value."""
        first: int | None = None
        # What base64 decodes to ends four times, once for each way to begin.
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
                    # Base64 is padded before it is decoded: the last two bytes may not be the text's.
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
    Redacts output that comes in lines.

    A line whose end may be the beginning of a declared value waits for the next one: programs wrap long
    lines. After the first line of a private key, its other lines are redacted as they come.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: list[str] = []
        self._key_lines = 0
        """How many more lines may belong to a private key."""

    def feed(self, lines: Iterable[str]) -> list[str]:
        """Take lines, and return those that may be shown now."""
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
        for start, end in reversed(spans):  # a value that ends in what waits may begin before it
            if start < begin < end:
                begin = text.rfind("\n", 0, start) + 1
        if text.count("\n", begin) >= MOST_HELD:
            return [*_redacted(text, spans).split("\n"), *self._release()]
        self._held = text[begin:].split("\n")
        ready = [span for span in spans if span[0] < begin]
        return _redacted(text[: begin - 1], ready).split("\n") if begin else []

    def flush(self) -> list[str]:
        """Return the lines that were waiting."""
        held = self._release()
        return self._redactor.text("\n".join(held)).split("\n") if held else []

    @property
    def waits(self) -> bool:
        """True if lines are waiting."""
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
    """Yield the end of a row, and where it ends without the escapes that may be cut off there."""
    yield end
    for _ in range(2):
        cut = UNFINISHED.search(text[max(begin, end - 40) : end])
        if cut is None:
            return
        end = max(begin, end - 40) + cut.start()
        yield end


def _forms(value: str) -> Iterator[str]:
    """Yield a value and its views, one of which a view of a text may hold instead."""
    shortest = max(SHORTEST, len(value) // 2)
    data = value.encode("utf-8", "surrogateescape")  # as it is in the environment
    for form in {value, data.decode("latin-1"), value.replace(" ", "+")}:
        for view in views(form):
            if len(view.text) >= shortest and not any(step.picks for step in view.steps):
                yield view.text
    if not value.isascii():  # where views of base64 and hexadecimal digits look for text in ASCII
        yield data.hex()
        for before, first in ((0, 0), (1, 2), (2, 3)):  # without what depends on what stands around it
            text = b64encode(bytes(before) + data).decode()[first : 8 * (before + len(data)) // 6]
            if len(text) >= SHORTEST_LINE:
                yield text


def _unique_name(taken: Mapping[str, Any], name: str) -> str:
    """Return a name, with a number behind it if it is taken."""
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
    """Return a text with something else in the place of secrets, and as many lines as before."""
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
