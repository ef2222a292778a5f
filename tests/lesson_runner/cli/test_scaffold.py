"""``lesson new``: it creates valid lessons and plugins that run, and overwrites nothing."""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesson_runner.cli import scaffold
from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.testing import assert_conforms, load_plugins, run_lesson

Lesson = Callable[..., Any]
PLUGIN_FILES = [
    ".gitignore",
    "README.md",
    "my_lessons/__init__.py",
    "my_lessons/lessons/my-lessons.md",
    "my_lessons/plugin.py",
    "my_lessons/py.typed",
    "pyproject.toml",
    "tests/test_my_lessons.py",
]


def test_a_new_lesson_is_valid_and_runs(lesson: Lesson, tmp_path: Path) -> None:
    created = lesson("new", "lesson", "my-first-lesson", "--folder", "some/where")
    assert created.code == 0
    assert created.out == (
        "created some/where/my-first-lesson.md\n\nnext:\n  lesson validate some/where/my-first-lesson.md\n"
        "  lesson run some/where/my-first-lesson.md --allow shell\n"
    )
    assert lesson("validate", "some/where/my-first-lesson.md", "--json").json["findings"] == []
    record = lesson("run", "some/where/my-first-lesson.md", "--allow", "shell", "--json").json
    assert record["lesson"]["title"] == "My first lesson"
    assert [step["status"] for step in record["steps"]] == ["passed", "passed"]
    assert [path.name for path in (tmp_path / "some" / "where").iterdir()] == ["my-first-lesson.md"]


def test_its_expectations_can_fail(lesson: Lesson, tmp_path: Path) -> None:
    lesson("new", "lesson", "mine")
    text = (tmp_path / "mine.md").read_text()
    (tmp_path / "mine.md").write_text(text.replace("seq 1 10", "seq 1 9"))
    assert lesson("run", "mine.md", "--allow", "shell").code == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.from_regex(load_schema("lesson")["properties"]["id"]["pattern"].replace("$", r"\Z")))
def test_every_id_that_the_schema_allows(tmp_path: Path, lesson_id: str) -> None:
    path = tmp_path / f"{lesson_id}.md"
    path.unlink(missing_ok=True)
    if len(path.name) > 200:
        return
    scaffold.new_lesson(lesson_id, tmp_path)
    made, problems = load_lesson(path)
    assert problems == []
    assert made.id == lesson_id


@pytest.mark.parametrize("lesson_id", ["1e5", "123", "null", "true", "no", "2024-01-01", "0x1f", "on"])
def test_ids_that_yaml_reads_as_something_else(tmp_path: Path, lesson_id: str) -> None:
    made, problems = load_lesson(scaffold.new_lesson(lesson_id, tmp_path))
    assert (made.id, problems) == (lesson_id, [])


@pytest.mark.parametrize(
    ("lesson_id", "fix"),
    [
        ("My_First Lesson", "did you mean 'my-first-lesson'?"),
        ("../elsewhere", "did you mean 'elsewhere'?"),
        ("two--hyphens", "did you mean 'two-hyphens'?"),
        ("trailing\n", "did you mean 'trailing'?"),
        ("ünï", "did you mean 'n'?"),
        ("", "choose a name such as 'my-first-lesson'"),
    ],
)
def test_ids_that_the_schema_refuses(lesson: Lesson, tmp_path: Path, lesson_id: str, fix: str) -> None:
    said = lesson("new", "lesson", "--", lesson_id)
    assert said.code == 2
    assert "is not an id: expected words of lower-case letters and digits, joined by hyphens" in said.err
    assert said.err.endswith(f"fix: {fix}\n")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    (tmp_path / "link.md").symlink_to("nowhere")
    (tmp_path / "my-lessons").mkdir()
    for words in (["lesson", "mine"], ["lesson", "link"], ["plugin", "my-lessons"]):
        said = lesson("new", *words)
        assert said.code == 2
        assert "already exists, and is not overwritten" in said.err
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.md", "mine.md", "my-lessons"]


def test_a_folder_that_cannot_be_written(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (["lesson", "mine"], ["plugin", "my-lessons"], ["lesson", "x" * 300]):
        said = lesson("new", *words, "--folder", "file" if len(words[1]) < 100 else ".")
        assert said.code == 2
        assert "cannot be written: " in said.err
        assert "fix: choose another --folder" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_plugin_that_cannot_be_finished_leaves_nothing(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def full_disk(self: Path, text: str, encoding: str) -> None:
        written.append(self)
        if len(written) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.write_bytes(text.encode(encoding))

    monkeypatch.setattr(Path, "write_text", full_disk)
    said = lesson("new", "plugin", "my-lessons")
    assert said.code == 2
    assert "my-lessons: cannot be written: No space left on device" in said.err
    assert len(written) == 5
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def made(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a new plugin, which can be imported."""
    assert lesson("new", "plugin", "My.Lessons").code == 0
    monkeypatch.syspath_prepend(tmp_path / "my-lessons")
    yield tmp_path / "my-lessons"
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_lessons"]:
        del sys.modules[name]


def test_a_new_plugin_lists_its_files_and_the_next_commands(lesson: Lesson, tmp_path: Path) -> None:
    said = lesson("new", "plugin", "My_lessons", "--folder", "a folder")
    head, _, tail = said.out.partition("\n\nnext:\n")
    assert head.splitlines() == [f"created a folder/my-lessons/{name}" for name in PLUGIN_FILES]
    assert tail.splitlines() == [
        "  cd 'a folder/my-lessons'",
        '  pip install -e ".[test]"',
        "  pytest",
        "  lesson run my-lessons",
    ]
    found = (path for path in (tmp_path / "a folder" / "my-lessons").rglob("*") if path.is_file())
    assert (
        sorted(str(path.relative_to(tmp_path / "a folder" / "my-lessons")) for path in found) == PLUGIN_FILES
    )
    assert [path.name for path in (tmp_path / "a folder").iterdir()] == ["my-lessons"]


def test_a_new_plugin_works(made: Path, lesson: Lesson, tmp_path: Path) -> None:
    plugin = importlib.import_module("my_lessons.plugin")
    plugins = load_plugins(plugin)
    assert plugins.infos["my_lessons"].error is None
    assert "my_lessons.greet" in plugins.actions()
    assert_conforms("my_lessons.plugin")
    assert lesson("validate", "my-lessons", "--json", plugins=[plugin]).json["findings"] == []
    path = made / "my_lessons" / "lessons" / "my-lessons.md"
    (tmp_path / "run").mkdir()
    assert run_lesson(path, tmp_path / "run", plugins=[plugin])["status"] == "passed"


@pytest.mark.parametrize("name", ["yes", "null", "package", "plugin", "lessons", "gitignore", "x"])
def test_names_that_mean_something_elsewhere(tmp_path: Path, name: str) -> None:
    paths = scaffold.new_plugin(name, tmp_path)
    for path in paths:
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")
    (path,) = (path for path in paths if path.name == f"{name}.md")
    made, problems = load_lesson(path)
    assert (made.id, path.stem, problems) == (name, name, [])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("my lessons", "'my lessons' is not a distribution name: expected words of letters and digits"),
        ("-x", "is not a distribution name"),
        ("", "is not a distribution name"),
        ("../x", "is not a distribution name"),
        ("3d-lessons", "the package would be called '3d_lessons', which Python cannot import"),
        ("class", "'class' is a keyword of Python"),
        ("JSON", "a module 'json' already exists"),
        ("lesson-runner", "a module 'lesson_runner' already exists"),
        ("ct4", "a plugin 'ct4' is already installed: lesson_ct4.plugin"),
        ("lesson-ct4", "a package 'lesson_ct4' is already installed"),
    ],
)
def test_names_that_a_plugin_cannot_have(lesson: Lesson, tmp_path: Path, name: str, problem: str) -> None:
    said = lesson("new", "plugin", "--", name)
    assert said.code == 2
    assert problem in said.err
    assert "fix: " in said.err
    assert list(tmp_path.iterdir()) == []
