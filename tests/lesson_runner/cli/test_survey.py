"""``lesson survey``: what lessons are, what can run here, and what is missing for the rest."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.conftest import Said
from tests.fake_plugin import fake_plugin

from lesson_runner.document.schema.bundle import bundle
from lesson_runner.plugins import Hardware
from lesson_runner.report.formats import SURVEYS
from lesson_runner.report.survey import LastRun, Survey, SurveyedLesson, render
from lesson_runner.run.outlook import Lack, Outlook
from lesson_runner.testing import lesson_text

Command = Callable[..., Said]
NEEDS = "command: no-such-program-9"


def step(name: str, more: str = "", block: str = "echo hello") -> str:
    return f"<!-- step\nid: {name}\n{more}\n-->\n```bash\n{block}\n```\n\n"


def only(said: Said) -> Any:
    (lesson,) = said.json["lessons"]
    return lesson


def test_a_lesson_without_directives(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\n```bash\necho a\n```\n\nIt prints:\n\n```text\na\n```\n")
    found = only(lesson("survey", "a.md", "--json"))
    assert (found["id"], found["blocks"], found["errors"]) == ("a", {"run": 1, "output": 1}, 0)
    assert (found["steps"]["total"], len(found["steps"]["ready"]), found["steps"]["skipped"]) == (1, 1, [])
    assert (found["last_run"], found["certificates"], found["first_error"]) == (None, [], None)


@pytest.mark.parametrize(
    ("requires", "lacks"),
    [
        ("command: no-such-program-9", ["command no-such-program-9"]),
        ("command: sh", []),
        ("python: no_such_module_9", ["python no_such_module_9"]),
        ("python: json", []),
        ("env: NO_SUCH_VARIABLE_9", ["env NO_SUCH_VARIABLE_9"]),
        ("env: PATH", []),
        ("file: ~/no-such-file-9", ["file ~/no-such-file-9"]),
        ("file: a.md", ["file a.md"]),
        ("file: /", []),
        ("chips: 2", ["chips 2"]),
    ],
)
def test_needs(lesson: Command, tmp_path: Path, requires: str, lacks: list[str]) -> None:
    """A run begins in an empty folder, so a file beside the lesson does not count."""
    (tmp_path / "a.md").write_text(lesson_text(step("one", f"requires: [{{{requires}}}]")))
    steps = only(lesson("survey", "a.md", "--json"))["steps"]
    assert steps["ready"] == ([] if lacks else ["one"])
    assert steps["skipped"] == ([{"step": "one", "lacks": lacks}] if lacks else [])


def test_a_board(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one", "requires: [board]")))
    board = fake_plugin("boards", detect_hardware=[Hardware("n150", "the driver", 1)])
    assert only(lesson("survey", "a.md", "--json"))["steps"]["ready"] == []
    said = lesson("survey", "a.md", "--json", plugins=[board])
    assert only(said)["steps"]["ready"] == ["one"]
    assert said.json["hardware"][0]["name"] == "n150"


def test_what_only_a_run_finds_out(lesson: Command, tmp_path: Path) -> None:
    """Nobody is asked: not even a server of this machine."""
    needs = "requires: [{network: host.invalid}, {server: 'localhost:1'}]"
    (tmp_path / "a.md").write_text(lesson_text(step("one", needs)))
    said = lesson("survey", "a.md", "--json")
    assert only(said)["steps"]["ready"] == ["one"]
    assert only(said)["steps"]["found_out_by_a_run"] == [
        {"step": "one", "needs": ["network host.invalid", "server localhost:1"]}
    ]


def test_steps_that_need_a_skipped_step(lesson: Command, tmp_path: Path) -> None:
    text = step("one", f"requires: [{{{NEEDS}}}]") + step("two", "needs: [one]") + step("three")
    (tmp_path / "a.md").write_text(lesson_text(text))
    steps = only(lesson("survey", "a.md", "--json"))["steps"]
    assert (steps["ready"], steps["total"]) == (["three"], 3)
    assert steps["skipped"][1] == {"step": "two", "lacks": ["step one"]}


@pytest.mark.parametrize(
    ("block", "lack"),
    [
        ("sudo apt-get install -y shop", "permission system"),
        ("git clone https://<your-token>@example.com/shop.git", "value"),
        ("nano notes.txt", "person"),
    ],
)
def test_recognised_steps_that_wait_for_the_user(
    lesson: Command, tmp_path: Path, block: str, lack: str
) -> None:
    (tmp_path / "a.md").write_text(f"# A\n\nRun this:\n\n```bash\n{block}\n```\n")
    said = lesson("survey", "a.md", "--json")
    (skipped,) = only(said)["steps"]["skipped"]
    assert any(item.startswith(lack) for item in skipped["lacks"])
    assert {"what": lack, "steps": 1, "lessons": ["a"]} in said.json["missing"]


def test_what_is_missing_is_counted_by_steps_and_lessons(lesson: Command, tmp_path: Path) -> None:
    need = f"requires: [{{{NEEDS}}}]"
    (tmp_path / "a.md").write_text(lesson_text(step("one", need) + step("two", need), id="a"))
    (tmp_path / "b.md").write_text(lesson_text(step("one", need), id="b"))
    said = lesson("survey", ".", "--json")
    assert said.json["missing"] == [{"what": "command no-such-program-9", "steps": 3, "lessons": ["a", "b"]}]


def test_errors(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one", "nonsense: true\nuses: nothing"), id="a"))
    (tmp_path / "b.md").write_bytes(b"\xff\xfe")
    (tmp_path / "c.md").write_text(lesson_text(step("one")))
    said = lesson("survey", ".", "--json")
    first, second, third = said.json["lessons"]
    assert (first["id"], first["errors"] > 0, first["steps"]["total"]) == ("a", True, 0)
    assert first["first_error"]["line"] > 1
    assert second["first_error"]["rule"] == "not-utf-8"
    assert third["errors"] == 0
    assert "lesson validate a.md" in lesson("survey", ".").out


def test_the_last_run(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one"), id="a"))
    (tmp_path / "a-2.md").write_text(lesson_text(step("one"), id="a-2"))
    board = fake_plugin("boards", detect_hardware=[Hardware("n150", "the driver", 1)])
    lesson("run", "a.md", "--allow", "shell", plugins=[board])
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    (tmp_path / "a.md").write_text(lesson_text(step("one", block="false"), id="a"))
    earlier = run.rename(run.with_name(f"20000101-000000-{run.name[16:]}"))
    found = {item["id"]: item["last_run"] for item in lesson("survey", ".", "--json").json["lessons"]}
    assert found["a-2"] is None
    assert found["a"]["hardware"] == ["n150"]
    assert (found["a"]["run_id"], found["a"]["status"]) == (earlier.name, "passed")
    lesson("run", "a.md", "--allow", "shell")
    found = {item["id"]: item["last_run"] for item in lesson("survey", ".", "--json").json["lessons"]}
    assert (found["a"]["status"], found["a"]["hardware"]) == ("failed", [])
    next(path for path in run.parent.iterdir() if path != earlier).joinpath("record.json").write_text("{")
    found = {item["id"]: item["last_run"] for item in lesson("survey", ".", "--json").json["lessons"]}
    assert found["a"]["status"] == "unfinished"


def test_nothing_runs_and_nothing_is_written(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "lessons").mkdir()
    text = step("one", "requires: [{file: '$(touch ../pwned)'}, {command: '`touch pwned`'}]", "touch pwned")
    (tmp_path / "lessons" / "a.md").write_text(lesson_text(text))
    (tmp_path / "lessons" / "b.md").write_text(
        "# B\n\n```bash\ntouch pwned; $(touch pwned) ~/x$(touch pwned)\n```\n"
    )
    (tmp_path / "lessons" / "json.py").write_text("open('pwned', 'w')")
    for form in SURVEYS.names:
        assert lesson("survey", "lessons", "--format", form).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lessons"]
    assert sorted(path.name for path in (tmp_path / "lessons").iterdir()) == ["a.md", "b.md", "json.py"]


@pytest.mark.parametrize("name", ["page.html", "table.md", "data.json"])
def test_a_file(lesson: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one")))
    assert lesson("survey", "a.md", "-o", name).code == 0
    form = {"page.html": "html", "table.md": "markdown", "data.json": "json"}[name]
    assert (tmp_path / name).read_text() == lesson("survey", "a.md", "--format", form).out


def test_wrong_options(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one")))
    for options in (("--format", "pdf"), ("-o", "x.pdf"), ("--json", "--format", "html"), ("no-such.md",)):
        assert lesson("survey", "a.md", *options).code == 2


def test_the_json_follows_its_schema(lesson: Command, tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    (tmp_path / "a.md").write_text(lesson_text(step("one", f"requires: [{{{NEEDS}}}, network]"), id="a"))
    (tmp_path / "b.md").write_text(lesson_text(step("one", "nonsense: true"), id="b"))
    (tmp_path / "c.md").write_text(lesson_text(step("one"), id="c"))
    lesson("run", "c.md", "--allow", "shell")
    Draft202012Validator(bundle("survey")).validate(lesson("survey", ".", "--json").json)


def many(count: int) -> Survey:
    """Return a survey whose texts try to break out of every format."""
    word = "<script>alert(1)</script> | `x` \x1b[2J"
    lack = Lack("file", f"~/{word}/x")
    outlook = Outlook(("ready",), {"two": (lack, Lack("board")), "three": (Lack("step", "two"),)}, {})
    run = LastRun(word, "passed", "2026-12-01T10:00:00Z", (word,), ("emulated",))
    return Survey(
        [
            SurveyedLesson(
                f"lesson-{number}-{'x' * 40}", word, Path("a.md"), {"run": 2}, outlook, last_run=run
            )
            for number in range(count)
        ],
        [{"name": word}],
    )


def test_strangers_words_are_harmless() -> None:
    console = Console(width=80)
    for form in ("text", "html", "markdown"):
        text = render(many(2), form, console)
        assert "\x1b[2J" not in text
        assert form == "text" or not re.search(r"(?<!\\)<script", text)


def test_the_text_fits_80_columns() -> None:
    lines = render(many(2), "text", Console(width=80)).splitlines()
    assert [line for line in lines if len(line) > 80 and not line.startswith(("lesson-", "Hardware"))] == []


def test_the_schema_is_json_schema() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(bundle("survey"))


@pytest.mark.slow
def test_fifty_lessons_take_seconds(lesson: Command, tmp_path: Path) -> None:
    commands = "mkdir -p part{0} && cd part{0}\necho {0} > made"
    section = f"## Part {{0}}\n\nRun this:\n\n```bash\n{commands}\n```\n\nIt prints:\n\n```\n{{0}}\n```\n\n"
    for number in range(50):
        text = f"# Lesson {number}\n\n" + "".join(section.format(part) for part in range(15))
        (tmp_path / f"l{number}.md").write_text(text)
    began = time.process_time()
    assert lesson("survey", ".").code == 0
    assert time.process_time() - began < 8


@pytest.mark.slow
def test_a_hostile_folder(lesson: Command, tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "a.md").write_text(lesson_text(step("one"), id="a"))
    (folder / "huge.md").write_bytes(b"x" * 2_000_001)
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "outside.md").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.md")
    said = lesson("survey", folder, "--json")
    assert said.code == 0
    errors = {Path(item["path"]).name: item["first_error"] for item in said.json["lessons"]}
    assert errors.pop("a.md") is None
    assert "outside.md" not in errors
    assert all(errors.values())
    shutil.rmtree(folder)


def test_the_data_is_json_for_programs() -> None:
    data = json.loads(render(many(1), "json", Console()))
    assert data["missing"][0]["lessons"] == [data["lessons"][0]["id"]]


@pytest.mark.slow
def test_several_processes_say_the_same(lesson: Command, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.md").write_text(lesson_text(step("one", f"requires: [{{{NEEDS}}}]"), id=name))
    (tmp_path / "d.md").write_bytes(b"\xff")
    assert lesson("survey", ".", "--json", "-j", "2").json == lesson("survey", ".", "--json", "-j", "1").json
