"""``--fix``: what is fixed, what stays as it is, and that nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Diagnostic, Edit, Location
from lesson_runner.plugins import Rule as PluginRule
from lesson_runner.testing import lesson_text
from lesson_runner.validate.fix import apply_edits

Command = Callable[..., Any]
HERE = Path("a.md")
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"
WRONG = """---
# who wrote this
id: sample
title:   Sample     # odd, and mine
description: A lesson for a test.
category: tests
tags: [test]
supported_hardware:
  # the big ones
  - N150   # from the shop
  - 'galaxy'
  - Simulator
---

"""
RIGHT = WRONG.replace("supported_hardware", "supportedHardware").replace("N150", "n150")
RIGHT = RIGHT.replace("Simulator", "simulator")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_layout_and_comments_stay(lesson: Command, tmp_path: Path, end: str, mark: str) -> None:
    path = tmp_path / "a.md"
    path.write_bytes((mark + (WRONG + STEP).replace("\n", end)).encode())
    path.chmod(0o640)
    said = lesson("validate", "a.md", "--fix")
    assert said.code == 0, said
    assert path.read_bytes() == (mark + (RIGHT + STEP).replace("\n", end)).encode()
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.stat().st_mtime_ns
    assert lesson("validate", "a.md", "--fix").code == 0
    assert path.stat().st_mtime_ns == before


def test_nothing_is_written_without_being_asked(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(WRONG + STEP)
    assert lesson("validate", "a.md").code == 1
    assert (tmp_path / "a.md").read_text() == WRONG + STEP


def test_similar_names_are_not_changed(lesson: Command, tmp_path: Path) -> None:
    text = lesson_text(STEP, supportedHardware=["sim"])
    (tmp_path / "a.md").write_text(text)
    said = lesson("validate", "a.md", "--fix")
    assert said.code == 1
    assert "did you mean 'simulator'?" in said.out
    assert (tmp_path / "a.md").read_text() == text


def test_a_link_stays_a_link(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text(WRONG + STEP)
    (tmp_path / "a.md").symlink_to("real.md")
    assert lesson("validate", "a.md", "--fix").code == 0
    assert (tmp_path / "a.md").is_symlink()
    assert (tmp_path / "real.md").read_text() == RIGHT + STEP


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(lesson: Command, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text(WRONG + STEP)
    folder.chmod(0o500)
    said = lesson("validate", "folder/a.md", "--fix")
    folder.chmod(0o700)
    assert said.code == 2
    assert "folder/a.md: cannot be written" in said.err
    assert (folder / "a.md").read_text() == WRONG + STEP


def add_an_o(lesson: Any, scope: Any) -> Any:
    """Yield an edit that brings forth the next finding, for ever."""
    place = Location(lesson.path, lesson.text.count("\n", 0, lesson.text.index("echo ")) + 1, 6)
    yield Diagnostic("circle.o", "warning", "too few", place, edits=(Edit(place, "o", "oo"),))


def test_endless_edits_stop(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    circle = fake_plugin("circle", rules=[PluginRule("circle.o", "warning", "Too few.", "A page.", add_an_o)])
    lesson("validate", "a.md", "--fix", plugins=[circle])
    assert "echo " + "o" * 6 + "ne" in (tmp_path / "a.md").read_text()


def test_edits_that_overlap_or_do_not_match_are_not_applied() -> None:
    first = Edit(Location(HERE, 1, 1), "abc", "x")
    overlapping = Edit(Location(HERE, 1, 2), "bc", "y")
    elsewhere = Edit(Location(HERE, 9, 1), "abc", "z")
    other = Edit(Location(HERE, 2, 1), "nope", "w")
    assert apply_edits("abcd\nef\n", [overlapping, first, elsewhere, other]) == ("xd\nef\n", {first})


@given(st.lists(st.text("ab\u00e9🙂 ", max_size=5), min_size=1, max_size=6), st.data())
def test_edits_over_several_lines(lines: list[str], data: st.DataObject) -> None:
    """An edit makes the same change in texts with other line ends or a byte order mark."""
    text = "\n".join(lines)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    new = data.draw(st.text("xy\n", max_size=5))
    row = text.count("\n", 0, begin)
    column = begin - (text.rfind("\n", 0, begin) + 1)
    edit = Edit(Location(HERE, row + 1, column + 1), text[begin:end], new)
    wanted = text[:begin] + new + text[end:]
    for mark in ("", "\ufeff"):
        assert apply_edits(mark + text, [edit])[0] == mark + wanted
        if "\n" in text:
            changed, done = apply_edits(mark + text.replace("\n", "\r\n"), [edit])
            assert (changed, done) == (mark + wanted.replace("\n", "\r\n"), {edit})


def save_in_between(lesson: Any, scope: Any) -> Any:
    """Change the file while it is validated."""
    lesson.path.write_text(lesson.text + "\nMine.\n")
    place = Location(lesson.path, 1, 1)
    yield Diagnostic("saving.x", "warning", "x", place, edits=(Edit(place, "---", "+++"),))


def test_a_file_saved_in_between_is_not_changed(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    saving = fake_plugin(
        "saving", rules=[PluginRule("saving.x", "warning", "X.", "A page.", save_in_between)]
    )
    said = lesson("validate", "a.md", "--fix", plugins=[saving])
    assert said.code == 2
    assert "a.md: was changed during the validation\nfix: validate it again" in said.err
    assert (tmp_path / "a.md").read_text() == lesson_text(STEP) + "\nMine.\n"
