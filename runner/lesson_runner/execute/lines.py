"""Turn the bytes of a process into lines of text: show them at once, keep a bounded amount."""

from __future__ import annotations

import codecs
import time
from collections import deque
from collections.abc import Callable, Sequence

from lesson_runner.execute.redaction.redactor import LineRedactor, Redactor
from lesson_runner.execute.redaction.views import as_displayed, has_control

LONGEST = 65_536
"""Longer lines are split: a file of zeros is one endless line."""
LONGEST_ESCAPE = 256
"""Length of an escape sequence that is not split, in characters."""
MOST_KEPT = 2_000_000
"""How many characters of an output are kept."""
PROGRESS_EVERY = 1.0
"""Seconds between two displays of a line that a program keeps overwriting."""


class BoundedLines:
    """
    The lines of an output; if there are too many, the middle is dropped.

    The start shows what ran, and the end shows why it failed.

    Args:
        most: how many characters to keep, apart from one line.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._half = most // 2
        self._head: list[str] = []
        self._room = self._half
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._dropped = 0

    def add(self, line: str) -> None:
        """Add a line."""
        self.extend([line])

    def extend(self, lines: Sequence[str]) -> None:
        """Add lines."""
        taken = 0
        while taken < len(lines) and not self._tail and len(lines[taken]) < self._room:
            self._head.append(lines[taken])
            self._room -= len(lines[taken]) + 1
            taken += 1
        rest = lines[taken:]
        self._tail.extend(rest)
        self._tail_size += sum(map(len, rest)) + len(rest)
        while self._tail_size > self._half and len(self._tail) > 1:
            self._tail_size -= len(self._tail.popleft()) + 1
            self._dropped += 1

    def lines(self) -> list[str]:
        """Return the kept lines, with a note where lines were dropped."""
        note = [f"[{self._dropped:,} lines are left out here]"] if self._dropped else []
        return [*self._head, *note, *self._tail]


def split_long_line(line: str) -> list[str]:
    """Split a line into pieces of at most :data:`LONGEST` characters; an empty line yields one piece."""
    if len(line) <= LONGEST:
        return [line]
    return [line[start : start + LONGEST] for start in range(0, len(line), LONGEST)]


def without_middle(text: str, most: int = MOST_KEPT) -> str:
    """Return a text unchanged, or without its middle if it is too long, as :class:`BoundedLines` does."""
    if len(text) <= most:
        return text
    kept = BoundedLines(most)
    for line in text.split("\n"):
        for piece in split_long_line(line):
            kept.add(piece)
    return "\n".join(kept.lines())


class OutputCollector:
    """
    Collects output as it looks on a terminal: without escape sequences and control characters.

    Of a line that a program overwrites with carriage returns (a progress bar), only the last state is kept;
    while it changes, one state per second is shown.

    Args:
        show: called with new lines, as one text without the last line ending. One call per line would be the
            slowest part of a step that prints many lines.
        keep: the most characters that :meth:`text` returns, see :class:`BoundedLines`.
        redactor: removes secrets from what is shown and kept.
    """

    def __init__(
        self, show: Callable[[str], None], keep: int = MOST_KEPT, redactor: Redactor | None = None
    ) -> None:
        self._show = show
        self._redactor = redactor or Redactor()
        self._lines = LineRedactor(self._redactor)
        self._decoder = codecs.getincrementaldecoder("utf-8")(_C1)
        self._rest = ""
        self._shown_at = time.monotonic()
        self._kept = BoundedLines(keep)
        self._ready: list[str] = []

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Process the next bytes; ``final`` also completes a last line without a line ending."""
        text = self._rest + self._decoder.decode(data, final)
        *lines, self._rest = text.split("\n")
        if "\r" in text:
            lines = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
        # A carriage return at the end may be the first half of a CRLF.
        overwritten, mark, state = self._rest[:-1].rpartition("\r")
        if mark:
            self._rest = state + self._rest[-1:]
        while len(self._rest) > LONGEST:
            cut = _cut_position(self._rest)
            lines.append(self._rest[:cut])
            self._rest = self._rest[cut:]
        if final and self._rest:
            lines.append(self._rest.rstrip("\r"))
            self._rest = ""
        self._add(lines)
        if mark and not final:
            self._progress(as_displayed(overwritten.rpartition("\r")[2]))
        if final:
            self._take(self._lines.flush())
        self._show_ready()

    def note(self, line: str) -> None:
        """Show and keep a line from the runner, after all waiting lines."""
        self._take([*self._lines.flush(), line])
        self._show_ready()

    def text(self) -> str:
        """Return the kept text, with a note where lines were dropped."""
        return "\n".join(self._kept.lines())

    def _add(self, lines: Sequence[str]) -> None:
        if has_control(lines):
            lines = [as_displayed(line) for line in lines]
        if any(len(line) > LONGEST for line in lines):
            lines = [piece for line in lines for piece in split_long_line(line)]
        if lines:
            self._take(self._lines.feed(lines))

    def _take(self, lines: Sequence[str]) -> None:
        self._kept.extend(lines)
        self._ready += lines

    def _show_ready(self) -> None:
        if self._ready:
            text, self._ready = "\n".join(self._ready), []
            self._show(text)

    def _progress(self, state: str) -> None:
        now = time.monotonic()
        if not state.strip() or now - self._shown_at < PROGRESS_EVERY:
            return
        # A secret that starts in one state and continues in the next would be shown in full.
        if not self._lines.waits and self._redactor.partial_start(state) is None:
            self._shown_at = now
            self._show_ready()
            self._show(self._redactor.text(state))


_C1 = "lesson_runner.c1"
"""The error handler for bytes that are not UTF-8: some are 8-bit terminal escapes."""


def _c1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    control = len(wrong) == 1 and 0x80 <= wrong[0] <= 0x9F
    return chr(wrong[0]) if control else "\ufffd", error.end


codecs.register_error(_C1, _c1)


def _cut_position(text: str) -> int:
    """Return where to split an endless line, outside an escape sequence."""
    start = max(text.rfind(mark, LONGEST - LONGEST_ESCAPE, LONGEST) for mark in "\x1b\x9b\x90\x9d")
    return start if start > 0 else LONGEST
