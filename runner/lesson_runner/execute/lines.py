"""Turn the bytes of a process into lines of text: show them at once, keep a bounded amount."""

from __future__ import annotations

import codecs
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain, islice

from lesson_runner.execute.redaction.redactor import LineRedactor, Redactor
from lesson_runner.execute.screen import Screen
from lesson_runner.model import Gap

MOST_KEPT = 2_000_000
"""How many characters of an output are kept."""
PIECE = 65_536
"""A line of more than :data:`MOST_KEPT` characters is split into pieces of this length."""
PROGRESS_EVERY = 1.0
"""Seconds between two displays of a line that a program keeps overwriting."""


class BoundedLines:
    """
    The lines of an output; if they have too many characters, the middle is dropped.

    The start shows what ran, and the end shows why it failed.

    Args:
        most: how many characters to keep; the last line is kept even if it is longer.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._half = most // 2
        self._room = most
        """How many characters the tail may have."""
        self._head: list[str] = []
        self._tail: deque[list[str]] = deque()
        """Lines in the groups in which they came, which are dropped as a whole where that is possible."""
        self._tail_size = 0
        self._dropped = 0

    def extend(self, lines: Sequence[str]) -> None:
        """Add lines."""
        taken = 0
        while taken < len(lines) and not self._tail and len(lines[taken]) < self._half:
            self._head.append(lines[taken])
            self._half -= len(lines[taken]) + 1
            self._room -= len(lines[taken]) + 1
            taken += 1
        if taken < len(lines):
            self._tail.append(list(lines[taken:]))
            self._tail_size += _size(self._tail[-1])
        while self._tail_size > self._room and (len(self._tail) > 1 or len(self._tail[0]) > 1):
            group, over = self._tail[0], self._tail_size - self._room
            if len(self._tail) > 1 and (size := _size(group)) <= max(over, PIECE):
                self._drop(group, len(group), size)  # a line at a time takes minutes for millions of lines
                continue
            count = size = 0
            most = len(group) - (len(self._tail) == 1)
            while count < most and size < over:
                size += len(group[count]) + 1
                count += 1
            self._drop(group, count, size)

    def _drop(self, group: list[str], count: int, size: int) -> None:
        """Drop the first lines of the first group of the tail."""
        del group[:count]
        if not group:
            self._tail.popleft()
        self._tail_size -= size
        self._dropped += count

    def take_back(self, count: int) -> list[str]:
        """Remove and return the last so many lines, or fewer if there are not so many."""
        rows: list[str] = []
        while len(rows) < count and self._tail:
            rows.append(self._tail[-1].pop())
            self._tail_size -= len(rows[-1]) + 1
            if not self._tail[-1]:
                self._tail.pop()
        while len(rows) < count and self._head and not self._dropped:
            rows.append(self._head.pop())
            self._half += len(rows[-1]) + 1
            self._room += len(rows[-1]) + 1
        return rows[::-1]

    def last(self, count: int) -> list[str]:
        """Return the last so many lines, or fewer if there are not so many."""
        groups = chain(reversed(self._tail), [self._head])
        return list(islice((line for group in groups for line in reversed(group)), count))[::-1]

    def lines(self) -> list[str]:
        """Return the kept lines; nothing in them shows where lines were dropped."""
        return [*self._head, *chain.from_iterable(self._tail)]

    def text(self) -> str:
        """Return the kept lines as one text."""
        return "\n".join(self.lines())

    def gap(self) -> Gap | None:
        """Return which lines were dropped, if any."""
        return Gap(self._dropped, len(self._head)) if self._dropped else None


def _size(lines: Sequence[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def split_long_line(line: str, most: int = MOST_KEPT) -> list[str]:
    """Return a line as it is, or, if it has more than ``most`` characters, in pieces of :data:`PIECE`."""
    if len(line) <= most:
        return [line]
    return [line[start : start + PIECE] for start in range(0, len(line), PIECE)]


def without_middle(text: str, most: int = MOST_KEPT) -> tuple[str, Gap | None]:
    """Return a text, without its middle if it is too long, and what is missing; see :class:`BoundedLines`."""
    if len(text) <= most:
        return text, None
    kept = BoundedLines(most)
    kept.extend([piece for line in text.split("\n") for piece in split_long_line(line, most)])
    return kept.text(), kept.gap()


class OutputCollector:
    """
    Collects output as it looks on a terminal: control codes are carried out, see :class:`Screen`.

    What a program overwrites (a progress bar) is not kept; while it changes, one state per second is shown.

    Args:
        show: called with new lines, as one text without the last line ending. One call per line would be the
            slowest part of a step that prints many lines.
        keep: the most characters that :meth:`text` returns, see :class:`BoundedLines`.
        redactor: removes secrets from what is shown and kept.
        also: keeps the lines too; another stream may write there as well.
    """

    def __init__(
        self,
        show: Callable[[str], None],
        keep: int = MOST_KEPT,
        redactor: Redactor | None = None,
        also: BoundedLines | None = None,
    ) -> None:
        self._show = show
        self._redactor = redactor or Redactor()
        self._lines = LineRedactor(self._redactor)
        self._decoder = codecs.getincrementaldecoder("utf-8")(_C1)
        self._begun = False
        self._unfinished = ""
        """A control code that is not complete yet, or a carriage return that may begin a CRLF."""
        self._parts: list[str] = []
        """The last line, if it has no control codes; else it is in the screen."""
        self._size = 0
        self._screen = Screen(self._take_back)
        self._shown_at = time.monotonic()
        self._longest = max(keep, PIECE)
        self._kept = BoundedLines(keep)
        self._also = also
        self._ready: list[str] = []
        self._redrawn = False

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Process the next bytes; ``final`` also completes a last line without a line ending."""
        text = self._decoder.decode(data, final)
        if text and not self._begun:
            self._begun, text = True, text.removeprefix("\ufeff")  # a byte order mark
        text = self._unfinished + text
        cut = len(text) if final else _end_of_complete(text)
        text, self._unfinished = text[:cut].replace("\r\n", "\n"), text[cut:]
        # Colours change no text; nor does erasing behind the last character.
        plain = _COLOURS.sub("", text) if "\x1b" in text else text
        if self._screen.fresh and _CONTROL.search(plain) is None:
            self._add_plain(plain)
        else:
            self._add(text)
        if final:
            self._take(["".join(self._parts)] if self._size else self._screen.end())
            self._keep(self._lines.flush())
        if final or not self._redrawn or time.monotonic() - self._shown_at >= PROGRESS_EVERY:
            self._show_ready()
        self._redrawn = False

    def note(self, line: str) -> None:
        """Show a line from the runner, after all waiting lines; it is not output, so it is not kept."""
        self._keep(self._lines.flush())
        self._ready.append(line)
        self._show_ready()

    def text(self) -> str:
        """Return the kept text."""
        return self._kept.text()

    def gap(self) -> Gap | None:
        """Return which lines of the output were not kept, if any."""
        return self._kept.gap()

    def _add_plain(self, text: str) -> None:
        first, *rows = text.split("\n")
        self._parts.append(first)
        self._size += len(first)
        if rows:
            whole, last = ["".join(self._parts), *rows[:-1]], rows[-1]
            self._parts, self._size = [last], len(last)
            self._take(whole)
        if self._size > self._longest:
            *pieces, last = split_long_line("".join(self._parts), self._longest)
            self._parts, self._size = [last], len(last)
            self._take(pieces)

    def _add(self, text: str) -> None:
        # Redact now: what is left of a secret after a part of it was overwritten would not be found.
        text = self._redactor.text("".join(self._parts) + text)
        self._parts, self._size = [], 0
        self._take(self._screen.write(text))
        if self._screen.size > self._longest:
            self._take(self._screen.end())
        self._progress(self._screen.row)

    def _take(self, lines: Sequence[str]) -> None:
        if max(map(len, lines), default=0) > self._longest:
            lines = [piece for line in lines for piece in split_long_line(line, self._longest)]
        if lines:
            self._keep(self._lines.feed(lines))

    def _keep(self, lines: Sequence[str]) -> None:
        self._kept.extend(lines)
        if self._also is not None:
            self._also.extend(lines)
        self._ready += lines

    def _take_back(self, count: int) -> list[str]:
        """Return the last lines, which the program is about to overwrite, and forget them."""
        self._keep(self._lines.flush())
        rows = self._kept.take_back(count)
        if self._also is not None and self._also.last(len(rows)) == rows:
            self._also.take_back(len(rows))
        if rows:
            del self._ready[-len(rows) :]
        self._redrawn = True
        return rows

    def _show_ready(self) -> None:
        if self._ready:
            text, self._ready = "\n".join(self._ready), []
            self._shown_at = time.monotonic()
            self._show(text)

    def _progress(self, state: str) -> None:
        now = time.monotonic()
        if not state.strip() or now - self._shown_at < PROGRESS_EVERY:
            return
        # A secret that starts in one state and continues in the next would be shown in full.
        if not self._lines.waits and self._redactor.partial_start(state) is None:
            self._show_ready()
            self._shown_at = now
            self._show(self._redactor.text(state))


_C1 = "lesson_runner.c1"
"""The error handler for bytes that are not UTF-8: some are 8-bit terminal escapes."""


def _c1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    run = _C1_BYTES.match(error.object, error.start)
    if run is None or error.end - error.start > 1:
        return "\ufffd", error.end
    return run[0].decode("latin-1"), run.end()


_C1_BYTES = re.compile(rb"[\x80-\x9f]+")
codecs.register_error(_C1, _c1)

_COLOURS = re.compile(r"\x1b\[(?:[\d;:]*m|0?K)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MUTE = r"\x00-\x06\x0e-\x1a\x1c-\x1f\x7f"
_INCOMPLETE = re.compile(
    rf"(?:(?:\x1b[{_MUTE}]{{0,64}}\[|\x9b)[0-?{_MUTE}]{{0,64}}[ -/{_MUTE}]{{0,64}}"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\n\x90-\x9f]*\x1b?"
    rf"|\x1b[{_MUTE}]{{0,64}}[ -/]{{0,8}}|\r)\Z"
)


def _end_of_complete(text: str) -> int:
    """Return where a control code starts that the end of the text cuts off; else the end of the text."""
    begin = max(text.rfind("\n") + 1, len(text) - PIECE)
    found = _INCOMPLETE.search(text, begin)
    return len(text) if found is None else found.start()
