"""``lesson run DIR``: all lessons of a folder, one after another."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.conftest import Said

Command = Callable[..., Said]
GOOD = "# Good\n\n```bash\necho good\n```\n"
BAD = "# Bad\n\n```bash\nfalse\n```\n"
NOTHING = "# Only for experts\n\n```bash\nno-such-program-9\n```\n"
BROKEN = "---\nid: broken\ntags: [\n---\n\n```bash\necho broken\n```\n"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Writes lessons into a folder, each with the text of its name."""

    def write(texts: Mapping[str, str]) -> Path:
        (tmp_path / "lessons").mkdir()
        for name, text in texts.items():
            (tmp_path / "lessons" / f"{name}.md").write_text(text)
        return tmp_path / "lessons"

    return write


Folder = Callable[[Mapping[str, str]], Path]


@pytest.mark.parametrize(
    ("texts", "code", "statuses"),
    [
        ({"a": GOOD, "b": GOOD}, 0, ["passed", "passed"]),
        ({"a": BAD, "b": GOOD}, 1, ["failed", "passed"]),
        ({"a": BROKEN, "b": GOOD}, 1, ["error", "passed"]),
        ({"a": GOOD, "b": "# Prose\n"}, 0, ["passed", "no-steps"]),
        ({"a": "# Prose\n"}, 4, ["no-steps"]),
        ({"a": NOTHING, "b": "# Prose\n"}, 4, ["nothing-ran", "no-steps"]),
    ],
)
def test_the_exit_code(
    lesson: Command, folder: Folder, texts: Mapping[str, str], code: int, statuses: list[str]
) -> None:
    said = lesson("run", folder(texts), "--allow", "shell", "--json")
    assert (said.code, [entry["status"] for entry in said.json]) == (code, statuses)


def test_each_lesson_has_a_run_of_its_own_in_the_order_of_the_links(lesson: Command, folder: Folder) -> None:
    texts = {
        "a": "Prerequisites: [z](z.md)\n\n```bash\ntest ! -e made && touch made\n```\n",
        "z": "# First\n\n```bash\ntest ! -e made && touch made\n```\n",
    }
    said = lesson("run", folder(texts), "--allow", "shell", "--json")
    assert [(entry["lesson"], entry["status"]) for entry in said.json] == [("z", "passed"), ("a", "passed")]
    for entry in said.json:
        record = Path(entry["record"])
        assert record.parent.name == entry["run_id"]
        assert (record.parent / "files" / "made").is_file()
        assert (entry["steps"], entry["error"]) == ({"passed": 1}, None)


def test_the_summary_comes_last(lesson: Command, folder: Folder) -> None:
    said = lesson("run", folder({"a": BAD, "b": GOOD, "c": BROKEN}), "--allow", "shell")
    rows = [line.split() for line in said.out[said.out.rindex("\nlesson ") :].splitlines() if line]
    assert [row[:5] for row in rows[1:3]] == [["a", "✗", "failed", "0", "1"], ["b", "✓", "passed", "1", "0"]]
    assert rows[3] == ["c", "✗", "error"]
    assert "c.md:3:" in said.err, "the error of a lesson that cannot run is shown"


def test_a_circle_is_said(lesson: Command, folder: Folder) -> None:
    texts = {"a": f"Next: [b](b.md)\n\n{GOOD}", "b": f"Next: [a](a.md)\n\n{GOOD}"}
    said = lesson("run", folder(texts), "--allow", "shell")
    assert said.code == 0
    assert "b.md:1:11: 'b' before 'a' is ignored" in said.err


def test_without_permission_nothing_runs(lesson: Command, folder: Folder, tmp_path: Path) -> None:
    said = lesson("run", folder({"a": GOOD, "b": GOOD}))
    assert said.code == 2
    assert "--allow shell" in said.err
    assert not (tmp_path / ".lesson" / "runs").exists()


@pytest.mark.parametrize(
    "option",
    ["--from=x", "--until=x", "--only=x", "--param=x=1", "--choose=x=y", "--continue=x", "--in=.", "--step"],
)
def test_options_for_one_lesson(lesson: Command, folder: Folder, option: str) -> None:
    said = lesson("run", folder({"a": GOOD}), option)
    assert said.code == 2
    assert option.partition("=")[0] in said.err


def test_an_empty_folder(lesson: Command, folder: Folder) -> None:
    assert lesson("run", folder({})).code == 2


@pytest.mark.parametrize("command", ["plan", "show"])
def test_other_commands_point_to_the_survey(lesson: Command, folder: Folder, command: str) -> None:
    said = lesson(command, folder({"a": GOOD}))
    assert said.code == 2
    assert "lesson survey" in said.err


@pytest.mark.slow
def test_one_question_for_all(folder: Folder, tmp_path: Path) -> None:
    """At a terminal; a yes is remembered for each lesson."""
    lessons = folder({"a": GOOD, "b": GOOD})
    command = [sys.executable, "-m", "lesson_runner", "run", str(lessons)]
    environ = {**os.environ, "LESSON_HOME": str(tmp_path / "home")}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    ) as run:
        os.close(theirs)
        os.write(ours, b"y\n")
        shown = b""
        while True:
            try:
                if not (piece := os.read(ours, 65536)):
                    break
            except OSError:  # the terminal's other end is closed
                break
            shown += piece
        assert run.wait(60) == 0, shown
    os.close(ours)
    assert shown.count(b"until their texts") == 1
    assert (
        subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.slow
def test_an_interruption_ends_the_whole(folder: Folder, tmp_path: Path) -> None:
    lessons = folder({"a": GOOD, "b": "# Long\n\n```bash\ntouch began\nsleep 60\n```\n", "c": GOOD})
    command = [sys.executable, "-m", "lesson_runner", "run", str(lessons), "--allow", "shell"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".lesson/runs/*-b/files/began")) and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    rows = [line.split()[:3] for line in out[out.rindex("\nlesson ") :].splitlines() if line]
    assert [row[::2] for row in rows[1:4]] == [["a", "passed"], ["b", "interrupted"], ["c", "not-reached"]]
    assert len(list(tmp_path.glob(".lesson/runs/*"))) == 2
