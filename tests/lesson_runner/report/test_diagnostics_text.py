"""Diagnostics as text: one line each, followed by the document's line and marks below the place."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from tests.lesson_runner.report.found import DIAGNOSTICS, found, items_of, one, shown

from lesson_runner.model import Edit, Location
from lesson_runner.report.diagnostics.text import excerpt
from lesson_runner.testing import lesson_text

ROOT = Path("/here")
Lesson = Callable[..., Any]


def rows(*items: Any, text: str = "", **more: Any) -> list[str]:
    return shown(found(*items, text=text, **more), "text", ROOT).split("\n")


def test_a_diagnostic_with_its_line() -> None:
    item = one("unknown key 'titel'", line=2, column=3, fix="did you mean 'title'?")
    assert rows(item, text="---\n  titel: a\n") == [
        "a.md:2:3: error: unknown key 'titel' (did you mean 'title'?) [unknown-key]",
        "      titel: a",
        "      ^",
        "1 lesson, 1 error, 0 warnings",
        "",
    ]


def test_replaced_text_is_marked() -> None:
    place = Location(Path("a.md"), 1, 3)
    item = one(column=3, edits=(Edit(place, "titel", "title"),))
    assert rows(item, text="  titel: a")[1:5] == [
        "      titel: a",
        "      ^~~~~",
        "1 lesson, 1 error, 0 warnings",
        "1 diagnostic can be fixed with --fix",
    ]


@pytest.mark.parametrize(
    ("place", "old", "marks"),
    [
        ((1, 5), "cd", "^   ~~"),
        ((1, 5), "", "^   ~"),
        ((1, 3), "cd\nmore", "^ ~~"),
        ((2, 1), "on another line", "^"),
        ((1, 500), "far behind the end", "^"),
    ],
)
def test_an_edit_elsewhere(place: tuple[int, int], old: str, marks: str) -> None:
    item = one(edits=(Edit(Location(Path("a.md"), *place), old, "x"),))
    assert rows(item, text="ab  cd\n2")[2] == "    " + marks


def test_without_a_line_there_is_no_excerpt() -> None:
    """The file cannot be read, or the line is empty."""
    assert len(rows(one(line=9), text="one line")) == 3
    assert len(rows(one(line=2), text="a\n\nb")) == 3


@pytest.mark.parametrize(
    ("row", "column", "shown", "marks"),
    [
        ("", 1, "", "^"),
        ("ab", 3, "ab", "  ^"),
        ("ab", 30, "ab", "  ^"),
        ("\ta", 2, "    a", "    ^"),
        ("世界a", 3, "世界a", "    ^"),
        ("a\u0301b", 3, "a\u0301b", " ^"),
        ("\x1b[2Ja", 5, "\ufffd[2Ja", "    ^"),
        ("a\u202eb", 3, "a\ufffdb", "  ^"),
        ("a\u2028b", 3, "a\ufffdb", "  ^"),
    ],
)
def test_the_caret_is_below_its_character(row: str, column: int, shown: str, marks: str) -> None:
    assert excerpt(row, column, (column, column), 100) == (shown, marks)


def test_a_long_line_is_cut_around_the_column() -> None:
    row = "".join(chr(ord("a") + number % 26) for number in range(1000))
    shown, marks = excerpt(row, 500, (500, 504), 40)
    assert shown[0] == shown[-1] == "…"
    assert row[499:504] == shown[marks.index("^") :][:5]
    assert marks.strip() == "^~~~~"
    assert excerpt(row, 1, (1, 1), 40) == (row[:38] + "…", "^")
    assert excerpt(row, 1001, (1001, 1001), 40) == ("…" + row[-38:], " " * 39 + "^")


@given(st.text(st.characters(), max_size=200), st.integers(1, 220), st.integers(1, 220), st.integers(0, 50))
def test_excerpts_fit(row: str, column: int, first: int, length: int) -> None:
    row = row.replace("\n", "")
    shown, marks = excerpt(row, column, (first, first + length), 60)
    assert cell_len(shown) <= 60
    assert len(marks) <= 61  # a caret may be after the last character
    assert marks.count("^") == 1
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.slow
@given(DIAGNOSTICS)
def test_text_does_not_move_the_cursor(diagnostics: Any) -> None:
    said = shown(diagnostics, "text", ROOT)
    assert not {unicodedata.category(char) for char in said.replace("\n", "")} & {"Cc", "Cs"}
    heads = [row for row in said.split("\n") if row and not row.startswith("    ")]
    fixable = any(item.edits for item in items_of(diagnostics))
    assert len(heads) == len(items_of(diagnostics)) + 1 + fixable


def test_totals() -> None:
    assert rows() == ["1 lesson, 0 errors, 0 warnings", ""]
    two = rows(one(path="a.md"), one(path="b.md", rule="mine.own"), one(path="b.md", rule="mine.silent"))
    assert two[-2] == "2 lessons, 1 error, 1 warning, 1 note"
    assert rows(fixed=2)[-3:] == ["1 lesson, 0 errors, 0 warnings", "2 diagnostics fixed", ""]


def test_paths_are_relative_to_the_current_folder() -> None:
    heads = [row.split(":")[0] for row in rows(one(path="/here/b/a.md"), one(path="/else/a.md"), one())]
    assert heads[:3] == ["b/a.md", "/else/a.md", "a.md"]


@pytest.mark.parametrize(("terminal", "no_color"), [(True, False), (True, True), (False, False)])
def test_colours_on_a_terminal_only(terminal: bool, no_color: bool) -> None:
    console = Console(
        file=io.StringIO(), force_terminal=terminal, no_color=no_color, color_system="standard", width=60
    )
    diagnostics = found(one("m" * 200), text="x" * 500)
    said = shown(diagnostics, "text", ROOT, console)
    assert ("\x1b[1;31m" in said) == (terminal and not no_color)
    assert ("\x1b[" in said) == terminal
    if not terminal:
        assert said == shown(diagnostics, "text", ROOT)


def test_of_a_real_lesson(lesson: Lesson, tmp_path: Path) -> None:
    step = "<!-- step\nid: one\nexpects: [{contains: x}]\n-->\n```bash\necho x\n```"
    (tmp_path / "a.md").write_text(lesson_text(step))
    said = lesson("validate", "a.md")
    assert said.code == 1
    assert said.out.split("\n")[1:4] == [
        "    expects: [{contains: x}]",
        "    ^",
        "1 lesson, 1 error, 0 warnings",
    ]
