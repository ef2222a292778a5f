"""Reading and writing plain files and folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.lessons import MAX_LINES, load_lesson
from lesson_runner.files.plain import new_folder, rewrite, write_atomically, write_output
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.testing import lesson_text


def test_a_folder_whose_name_is_taken(tmp_path: Path) -> None:
    assert [new_folder(tmp_path, "a").name for _ in range(3)] == ["a", "a-2", "a-3"]
    for _ in range(96):
        new_folder(tmp_path, "a")
    with pytest.raises(FileExistsError, match="a hundred folders of that name exist"):
        new_folder(tmp_path, "a")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_atomically(tmp_path / "a", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_output_goes_into_a_pipe_or_a_device_and_does_not_replace_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with os.fdopen(os.open(tmp_path / "pipe", os.O_RDWR), "r", encoding="utf-8") as reader:
        for name in ("pipe", "link"):
            write_output(tmp_path / name, "text\n")
            assert reader.readline() == "text\n"
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()
    write_output(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"


def test_rewriting_keeps_links_and_modes(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    rewrite(tmp_path / "link", b"new")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text()) == (True, "new")
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640


def test_a_lesson_with_too_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    text = lesson_text("x")
    path.write_text(text + "\n" * (MAX_LINES - 1 - text.count("\n")))
    assert load_lesson(path)[0].title == "Sample"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InvalidLessonError) as caught:
        load_lesson(path)
    assert caught.value.diagnostics[0].message == f"{MAX_LINES + 1} lines; a lesson has at most {MAX_LINES}"


def test_files_that_are_not_lessons(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match="is a folder, not a lesson"):
        load_lesson(tmp_path)
    with pytest.raises(LessonError, match="no such file"):
        load_lesson(tmp_path / "none.md")
    with pytest.raises(LessonError, match="cannot be read: File name too long"):
        load_lesson(tmp_path / ("x" * 300))


@pytest.mark.parametrize("command", ["validate", "run", "plan", "show", "annotate"])
def test_a_name_that_is_too_long_for_any_file(lesson: Callable[..., Any], command: str) -> None:
    said = lesson(command, "x" * 300 + ".md")
    assert (said.code, said.err.endswith("x.md: no such file\n")) == (2, True), said
