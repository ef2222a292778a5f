"""
Keeping secrets out of what a run shows and stores.

Two kinds are known: values that were declared, and texts that look like tokens, which
:mod:`lesson_runner.secrets` finds. Values are found line by line, and as JSON, addresses and base64 have
them: these forms are those of GitHub's runner. What a program turns into something else is not recognised.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any
from urllib.parse import quote

from lesson_runner.secrets import find

REDACTED = "[redacted]"
SHORTEST = 4
"""Fewer characters would be found in half of all words."""
SHORTEST_LINE = 8
"""Of a value of several lines, each line of so many characters counts by itself."""
HELD = 64
"""So many lines wait at most for the rest of a value that may have begun in them."""
KEY_LINES = 400
"""A private key has fewer lines."""
STRUCTURE = frozenset(
    {
        *("event", "time", "status", "matcher", "result", "sha256", "content_sha256", "plan_digest"),
        *("run_id", "started", "finished", "profile", "backend", "kind", "id", "action", "needs"),
        *("sandbox", "env", "carried"),
    }
)
"""Keys of records and events whose values the runner makes up itself: a secret that is an ordinary word must
not turn a record into something else."""

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
                    found |= {row, *_encoded(row)}
        self.values = tuple(sorted(found, key=lambda value: (-len(value), value)))
        self._longest = max(map(len, found), default=0)
        self._by_head: dict[str, list[str]] = {}
        for value in self.values:
            self._by_head.setdefault(value[:SHORTEST], []).append(value)

    def text(self, text: str) -> str:
        """Return a text without the secrets in it; it may have several lines."""
        return _replaced(text, self.spans(text))

    def data(self, value: Any) -> Any:
        """Return data fit for JSON without the secrets in its texts; see :data:`STRUCTURE`."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: item if key in STRUCTURE else self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value

    def spans(self, text: str) -> list[Span]:
        """Return where secrets are, in order; none of them overlap."""
        found = self.declared(text)
        found += [(secret.start, secret.end) for secret in find(text)]
        return _merged(found)

    def declared(self, text: str) -> list[Span]:
        """Return where declared values are; they may overlap."""
        found: list[Span] = []
        for value in self.values:
            start = text.find(value)
            while start >= 0:
                found.append((start, start + len(value)))
                start = text.find(value, start + 1)
        return found

    def begins(self, text: str) -> int | None:
        """Return where a declared value begins that the end of the text cuts off, if one may."""
        if len(text) < SHORTEST or not self.values:
            return None
        for start in range(max(0, len(text) - self._longest + 1), len(text) - SHORTEST + 1):
            for value in self._by_head.get(text[start : start + SHORTEST], ()):
                if len(value) > len(text) - start and value.startswith(text[start:]):
                    return start
        return None


class LineRedactor:
    """
    Redacts output that comes line by line.

    A line whose end may be the beginning of a declared value waits for the next one: programs wrap long
    lines. After the first line of a private key, its other lines are redacted as they come.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held: list[str] = []
        self._key_lines = 0
        """How many more lines may belong to a private key."""

    def feed(self, line: str) -> list[str]:
        """Take a line, and return those that may be shown now."""
        if not self._held and self._redactor.begins(line) is None:
            return [self._alone(line)]
        self._held.append(line)
        begin = self._redactor.begins("".join(self._held)) if len(self._held) < HELD else None
        if begin is None:
            return self.flush()
        ends = list(accumulate(map(len, self._held)))
        ready = sum(end <= begin for end in ends)
        rows = self._across(self._held)
        self._held = rows[ready:]
        return [self._alone(row) for row in rows[:ready]]

    def feed_all(self, lines: Sequence[str]) -> Sequence[str]:
        """Take lines, and return those that may be shown now; fast where all are clean."""
        if not self._held and not self._key_lines:
            text = "\n".join(lines)
            clean = not self._redactor.spans(text) and not _KEY_BEGIN.search(text)
            cut = self._redactor.values and any(self._redactor.begins(line) is not None for line in lines)
            if clean and not cut:
                return lines
        return [ready for line in lines for ready in self.feed(line)]

    def flush(self) -> list[str]:
        """Return the lines that were waiting."""
        rows, self._held = self._across(self._held), []
        return [self._alone(row) for row in rows]

    def _across(self, rows: Sequence[str]) -> list[str]:
        """Redact declared values, also those that go on from one row in the next."""
        spans = _merged(self._redactor.declared("".join(rows)))
        shown, base = [], 0
        for row in rows:
            own = [
                (max(start - base, 0), min(end - base, len(row)))
                for start, end in spans
                if start < base + len(row) and end > base
            ]
            shown.append(_replaced(row, own))
            base += len(row)
        return shown

    def _alone(self, line: str) -> str:
        begin = None if _KEY_END in line else _KEY_BEGIN.search(line)
        if begin is not None:
            self._key_lines = KEY_LINES
            return self._redactor.text(line[: begin.end()]) + (
                REDACTED if line[begin.end() :].strip() else ""
            )
        if self._key_lines and _KEY_LINE.fullmatch(line):
            self._key_lines -= 1
            return REDACTED if line.strip() else line
        self._key_lines = 0
        return self._redactor.text(line)


def _encoded(value: str) -> Iterator[str]:
    """
    Yield a value as JSON, addresses and base64 have it.

    In base64, wherever it stands in what is encoded: three ways, without the characters at the ends that
    depend on what stands before and behind it.
    """
    data = value.encode("utf-8", "surrogateescape")  # as it is in the environment
    yield json.dumps(value)[1:-1]
    yield quote(data, safe="")
    for before, first in ((0, 0), (1, 2), (2, 3)):
        text = b64encode(bytes(before) + data).decode()[first : 8 * (before + len(data)) // 6]
        if len(text) >= SHORTEST_LINE:
            yield text


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _replaced(text: str, spans: Iterable[Span]) -> str:
    parts: list[str] = []
    end = 0
    for start, stop in spans:
        parts += (text[end:start], REDACTED)
        end = stop
    return "".join((*parts, text[end:])) if parts else text
