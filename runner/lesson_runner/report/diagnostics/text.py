"""Diagnostics as text: each with its place and its line of the document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.model import Diagnostic, Diagnostics
from lesson_runner.report.diagnostics.formatting import counted, sentence, shown, totals
from lesson_runner.report.text import line as one_line
from lesson_runner.report.text import visible, workflow_commands

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 100
"""Columns shown of a document's line if the width of the output is unknown."""
INDENT = "    "
TAB = "    "
_CONTROL = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, halves of surrogate pairs, ends of lines and paragraphs."""
_REVERSING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
"""Classes of characters that reverse the text after them, so that a caret would be in the wrong place."""
_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def render(diagnostics: Diagnostics, root: Path) -> Iterator[str]:
    """Yield the diagnostics as plain text."""
    return (piece.plain for piece in draw(diagnostics, root))


def draw(diagnostics: Diagnostics, root: Path, width: int = WIDTH) -> Iterator[Text]:
    """Yield the diagnostics as text with styles, for a terminal of ``width`` columns."""
    from rich.text import Text

    for document in diagnostics:
        drawn = Text()
        for item in document.diagnostics:
            _draw(drawn, item, document.lines.get(item.location.line, ""), root, width)
        if drawn:
            yield drawn
    yield Text("".join(f"{row}\n" for row in _totals(diagnostics)))


def _draw(drawn: Text, item: Diagnostic, line: str, root: Path, width: int) -> None:
    place, style = item.location, _STYLES[item.severity]
    where = f"{one_line(shown(place.path, root))}:{place.line}:{place.column}"
    drawn.append(where, "bold").append(": ").append(item.severity, style)
    drawn.append(f": {one_line(sentence(item))} ").append(f"[{one_line(item.rule)}]\n", "dim")
    if line:
        row, marks = excerpt(line, place.column, _span(item), width - len(INDENT))
        drawn.append(f"{INDENT}{row}".rstrip() + "\n")
        drawn.append(f"{INDENT}{marks}\n", style)


def _totals(diagnostics: Diagnostics) -> Iterator[str]:
    yield totals(diagnostics)
    if diagnostics.fixed:
        yield f"{counted(diagnostics.fixed, 'diagnostic')} fixed"
    if diagnostics.fixable:
        yield f"{counted(diagnostics.fixable, 'diagnostic')} can be fixed with --fix"


def _span(item: Diagnostic) -> tuple[int, int]:
    """Return the first and the last column that the fix replaces on the diagnostic's line."""
    place = item.location
    for edit in item.edits:
        if (edit.location.path, edit.location.line) == (place.path, place.line):
            first = edit.location.column
            return first, first + max(len(edit.old.split("\n")[0]), 1) - 1
    return place.column, place.column


def excerpt(row: str, column: int, span: tuple[int, int], width: int) -> tuple[str, str]:
    """
    Return the part of a line around a column, and the marks that go below it.

    Args:
        row: the line of the document.
        column: the column that ``^`` marks, counted from 1; one after the line's end marks the end.
        span: the first and last column that ``~`` marks.
        width: the width of the output, in cells.
    """
    from rich.cells import cell_len

    at = min(max(column - 1, 0), len(row))
    row, commands = visible(row), workflow_commands(row)
    first, last = _window(row, at, width - 2)
    pieces = [
        f"{' ' if index in commands else ''}{_harmless(char)}"
        for index, char in enumerate(row[first:last], first)
    ]
    before, after = "…" if first else "", "…" if last < len(row) else ""

    def cell(index: int) -> int:
        """Return the column of a character of the line; for one that is cut off, the nearest end."""
        return cell_len(before + "".join(pieces[: max(index - first, 0)]))

    marks = [" "] * (cell(last) + 1)
    for position in range(cell(span[0] - 1), cell(span[1])):
        marks[position] = "~"
    marks[cell(at)] = "^"
    return before + "".join(pieces) + after, "".join(marks).rstrip()


def _window(row: str, at: int, width: int) -> tuple[int, int]:
    """Return the first character to show and the one after the last, so that ``at`` is among them."""
    from rich.cells import cell_len

    def cells(index: int) -> int:
        return max(
            cell_len(_harmless(row[index])), 1
        )  # combining characters have no width, and there may be many

    if len(row) <= width and sum(map(cells, range(len(row)))) <= width:
        return 0, len(row)
    first = last = at
    used = 0
    while first > 0 and used + cells(first - 1) <= width // 2:
        first -= 1
        used += cells(first)
    while last < len(row) and used + cells(last) <= width:
        used += cells(last)
        last += 1
    while first > 0 and used + cells(first - 1) <= width:
        first -= 1
        used += cells(first)
    return first, last


def _harmless(char: str) -> str:
    """Return a character, or a replacement if it would control a terminal or reverse text."""
    if char == "\t":
        return TAB
    control = unicodedata.category(char) in _CONTROL or unicodedata.bidirectional(char) in _REVERSING
    return "\ufffd" if control else char
