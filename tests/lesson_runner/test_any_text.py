"""Whatever is in a file: reading it ends in a lesson and findings, or in an error for people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Diagnostic
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.testing import lesson_text

GOOD = (Path(__file__).parents[1] / "samples" / "good" / "everything.md").read_text("utf-8")
PIECES = [
    *(
        "---\n",
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "    ",
        "> ",
        "- ",
        "1. ",
        "# ",
        "\x0c",
        "\x85",
        "\u2028",
        "\0",
    ),
    *(
        "<!-- step\n",
        "<!-- run\n",
        "<!-- expect\n",
        "<!-- skip",
        "<!-- manual",
        "-->",
        "-->\n",
        "```",
        "~~~\n",
    ),
    *(
        "id: a\n",
        "with: {a: 1}\n",
        "expect:\n",
        "  - lines: [a]\n",
        "capture: [",
        "profiles: ",
        "runner:\n",
        "\ufeff",
    ),
    *(
        "&a ",
        "*a",
        "!!bool x",
        "!!int ",
        "!!set {",
        "? ",
        ": ",
        "<<: ",
        "|\n",
        ">-\n",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
    ),
    *(
        "%YAML 1.2\n",
        "2026-02-30",
        "0x1",
        "1e999",
        ".nan",
        "bash\n",
        "**Why:** ",
        "**Look for:** x\n",
        "**",
        "a",
    ),
]
QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, content: bytes) -> Iterable[Diagnostic]:
    path.write_bytes(content)
    try:
        lesson, found = load_lesson(path)
    except InvalidLessonError as error:
        return error.diagnostics
    for block in lesson.blocks:
        assert block.location.line >= 1
    return found


def check(path: Path, content: bytes) -> None:
    found = read(path, content)
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for item in found:
        assert 1 <= item.location.line <= len(rows), item
        # Where a tab stands for several columns, a place in the line may lie beyond its characters.
        assert 1 <= item.location.column <= len(rows[item.location.line - 1].expandtabs(4)) + 1, item


@given(st.text())
@example("")
@example("\r")
@example("a\r<!-- step\rid: a\r-->")
@example("---\nid: a\x85\u2028b: [\n---")
@QUICK
def test_any_text(tmp_path: Path, text: str) -> None:
    check(tmp_path / "a.md", text.encode("utf-8", "replace"))


@given(st.binary())
@QUICK
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    check(tmp_path / "a.md", content)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("---\nrunner: {with: [1], profiles: {a: 1}}\n---\n<!-- step\nid: a\ncapture: [a]\n-->\n")
@QUICK
def test_pieces_of_lessons(tmp_path: Path, text: str) -> None:
    check(tmp_path / "a.md", text.encode())
    check(tmp_path / "a.md", lesson_text("").encode() + text.encode())
    check(tmp_path / "a.md", b"---\n" + text.encode() + b"\n---\n")


@pytest.mark.slow
@given(st.data())
@QUICK
def test_a_good_lesson_with_something_wrong(tmp_path: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 40)))
    put = data.draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=5), st.just(GOOD[end : end + 60])))
    check(tmp_path / "a.md", (GOOD[:start] + put + GOOD[end:]).encode("utf-8", "replace"))
