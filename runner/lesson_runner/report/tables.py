"""Tables on the terminal whose cells may hold untrusted text."""

from __future__ import annotations

from collections.abc import Collection

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from lesson_runner.report.text import line

CONTINUED = "  "
"""Indents a row that continues the one above it, so that it does not look like a separate row."""


class PlainTable(Table):
    """
    A table without a frame, in which each cell is one line of text, folded where there is no room.

    Args:
        columns: their headings.
        right: the headings of columns of numbers.
        center: the headings of columns of signs.
    """

    def __init__(self, *columns: str, right: Collection[str] = (), center: Collection[str] = ()) -> None:
        super().__init__(box=None, pad_edge=False, header_style="dim")
        for name in columns:
            side: JustifyMethod = "right" if name in right else "center" if name in center else "left"
            self.add_column(one_line(name), justify=side, overflow="fold")

    def add(self, *cells: str | Text) -> None:
        """Add a row."""
        first, *others = map(one_line, cells)
        self.add_row(_Folded(first), *others)


class _Folded:
    """A text whose rows after the first are indented."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the rows."""
        if self._text.cell_len <= options.max_width:
            yield self._text
            return
        room = max(options.max_width - len(CONTINUED), 1)
        for number, row in enumerate(self._text.wrap(console, room, overflow="fold")):
            yield Text(CONTINUED if number else "").append_text(row)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return how narrow and how wide it can be."""
        return Measurement.get(console, options, self._text)


def one_line(text: str | Text) -> Text:
    """Return a text as one harmless line; a styled text keeps its styles and must be harmless already."""
    if not isinstance(text, Text):
        return Text(line(text))
    copy = text.copy()
    copy.plain = text.plain.translate(_BREAKS)
    return copy


_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"), " ")
