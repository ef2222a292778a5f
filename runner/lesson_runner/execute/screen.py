"""Carry out the control codes of a terminal, as far as they change the text in its rows."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from lesson_runner.execute.redaction.views import SEQUENCE

MOST_COLUMNS = 1000
"""The cursor moves no further to the right of a row than this, and not beyond the end of a longer row."""
MOST_ROWS = 200
"""The most rows that one control code moves the cursor up or down."""
TAB = 8

_TOKEN = re.compile(
    rf"(?P<text>[^\x00-\x1f\x7f-\x9f]+)|[\x80-\x9f]+(?=[\x80-\x9f])|(?P<code>{SEQUENCE.pattern})"
    r"|\x08+|[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]+|[\x07\t-\r\x1b\x80-\x9f]"
)
_CSI = re.compile(r"(?:\x1b\[|\x9b)(\??)(\d*)[\d;:]*([ -/]*[@-~])")
_MUTE = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_OTHER_SCREEN = frozenset(("47", "1047", "1049"))


class Screen:
    """
    The rows that a program can still change: the row with the cursor, and those below it.

    Rows have no width at which they wrap, and there is no first row of a window: a code that moves the cursor
    to a place in the window or clears the window begins a new row, and what was printed before stays.

    Args:
        take_back: returns the last so many finished rows, or fewer, and forgets them.
    """

    def __init__(self, take_back: Callable[[int], list[str]]) -> None:
        self._take_back = take_back
        self._finished: list[str] = []
        self._below: deque[str] = deque()
        self._cells: list[str] = []
        """One item for each column; the columns of a character after its first are empty."""
        self._cursor = 0
        self._narrow = True
        """True if each character of the row has one column."""
        self._moved = False
        """True if the cursor was moved within the row: then blanks at its end may have erased text."""

    @property
    def row(self) -> str:
        """The text of the row with the cursor."""
        text = "".join(self._cells)
        return text.rstrip(" ") if self._moved else text

    @property
    def fresh(self) -> bool:
        """True if the cursor is in an empty row with nothing below it."""
        return not (self._cells or self._cursor or self._below)

    @property
    def size(self) -> int:
        """The number of columns of the row with the cursor."""
        return len(self._cells)

    def write(self, text: str) -> list[str]:
        """Write text with control codes; return the rows that were finished."""
        for token in _TOKEN.finditer(text):
            found = token[0]
            if token.lastgroup == "text" and self._narrow and found.isascii():
                self._fill(self._cursor)
                end = self._cursor + len(found)
                self._cells[self._cursor : end] = found
                self._cursor = end
            elif token.lastgroup == "text":
                self._put(found if found.isascii() else _cells_of(found))
            elif token.lastgroup == "code":
                self._code(_MUTE.sub("", found))
            elif found in "\n\v\f":
                self._next_row()
            elif found == "\r":
                self._move(0)
            elif found[0] == "\b":
                self._cursor, self._moved = max(self._cursor - len(found), 0), True
            elif found == "\t":
                self._tab()
        finished, self._finished = self._finished, []
        return finished

    def end(self) -> list[str]:
        """Finish the row with the cursor, unless it is empty, and the rows below it; return them."""
        rows = [self.row, *self._below] if self._below or self.row else []
        self._below.clear()
        self._load("")
        return rows

    def _next_row(self) -> None:
        self._finished.append(self.row)
        self._load(self._below.popleft() if self._below else "")

    def _new_row(self) -> None:
        self._finished += self.end()

    def _load(self, text: str) -> None:
        self._cells, self._cursor, self._moved, self._narrow = [], 0, False, True
        for part in re.split("(\t)", text):
            if part == "\t":
                self._tab()
            else:
                self._put(_cells_of(part))
        self._cursor = 0

    def _move(self, column: int) -> None:
        most = max(len(self._cells), MOST_COLUMNS)
        self._moved = self._moved or column < self._cursor
        self._cursor = min(max(column, 0), most)

    def _put(self, cells: Sequence[str]) -> None:
        """Write characters at the cursor, over those that are there."""
        self._narrow = self._narrow and isinstance(cells, str)
        self._fill(self._cursor)
        if cells and self._cursor and _is_mark(cells[0]):  # it belongs to the character before
            self._cells[self._start(self._cursor - 1)] += cells[0]
            cells = cells[1:]
        end = self._cursor + len(cells)
        if self._cursor < len(self._cells):
            self._divide(self._cursor)
            self._divide(end)
        self._cells[self._cursor : end] = cells
        self._cursor = end

    def _tab(self) -> None:
        stop = (self._cursor // TAB + 1) * TAB
        self._fill(self._cursor)
        if len(self._cells) < stop:
            self._narrow = False
            self._cells += ["\t", *[""] * (stop - len(self._cells) - 1)]
        self._cursor = stop

    def _fill(self, columns: int) -> None:
        if columns > len(self._cells):
            self._cells += " " * (columns - len(self._cells))

    def _start(self, column: int) -> int:
        """Return the first column of the character in a column."""
        while column and not self._cells[column]:
            column -= 1
        return column

    def _divide(self, column: int) -> None:
        """Replace a character by spaces if a column is inside it, so that the column can be changed alone."""
        if column >= len(self._cells) or self._cells[column]:
            return
        start = end = self._start(column)
        end += 1
        while end < len(self._cells) and not self._cells[end]:
            end += 1
        self._cells[start:end] = " " * (end - start)

    def _code(self, code: str) -> None:
        if code == "\x1bc":
            self._new_row()
        elif code == "\x1bM":
            self._up(1)
        elif (parts := _CSI.fullmatch(code)) is not None:
            private, digits, final = parts.groups()
            if private:
                if final in "hl" and digits in _OTHER_SCREEN:
                    self._new_row()
                return
            self._control(final, int(digits[:6] or 0))

    def _control(self, final: str, count: int) -> None:
        many = max(count, 1)
        if final in ("C", "a"):
            self._move(self._cursor + many)
        elif final == "D":
            self._move(self._cursor - many)
        elif final in ("G", "`"):
            self._move(many - 1)
        elif final in ("A", "F"):
            self._up(many, column=0 if final == "F" else self._cursor)
        elif final in ("B", "E"):
            self._down(many, column=0 if final == "E" else self._cursor)
        elif final in ("H", "f") or (final == "J" and count):
            self._new_row()
        elif final == "J":
            self._below.clear()
            self._erase(self._cursor, len(self._cells))
        elif final == "K":
            begin = self._cursor if count == 0 else 0
            self._erase(begin, self._cursor + 1 if count == 1 else len(self._cells))
        elif final == "X":
            self._erase(self._cursor, self._cursor + many)
        elif final in ("P", "@"):
            self._divide(self._cursor)
            end = self._cursor + many
            if final == "P":
                self._divide(end)
                del self._cells[self._cursor : end]
            elif self._cursor < len(self._cells):
                self._cells[self._cursor : self._cursor] = " " * min(many, MOST_COLUMNS)

    def _erase(self, begin: int, end: int) -> None:
        self._divide(begin)
        self._divide(end)
        if end >= len(self._cells):
            del self._cells[begin:]
        else:
            self._cells[begin:end] = " " * (end - begin)

    def _up(self, rows: int, column: int | None = None) -> None:
        rows = min(rows, MOST_ROWS)
        column = self._cursor if column is None else column
        above = self._finished[-rows:]
        del self._finished[-rows:]
        if len(above) < rows:
            above = [*self._take_back(rows - len(above)), *above]
        if above:
            self._below.extendleft(reversed([*above[1:], self.row]))
            self._load(above[0])
        self._move(column)

    def _down(self, rows: int, column: int) -> None:
        for _ in range(min(rows, len(self._below))):
            self._next_row()
        self._move(column)


def _cells_of(text: str) -> Sequence[str]:
    """Return a cell for each column of a text without control characters."""
    if text.isascii():
        return text
    cells: list[str] = []
    for character in text:
        if _is_mark(character) and cells:
            last = next(place for place in range(len(cells) - 1, -1, -1) if cells[place])
            cells[last] += character
        else:
            cells += [character, *_wide(character)]
    return cells


def _is_mark(character: str) -> bool:
    """Return whether a character is shown in the column of the one before it."""
    return not character.isascii() and _columns(character[0]) <= 0


def _wide(character: str) -> Iterable[str]:
    return ("",) if _columns(character) == 2 else ()


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    from rich.cells import get_character_cell_size  # plugins import this module, and most need no rich

    return get_character_cell_size(character)
