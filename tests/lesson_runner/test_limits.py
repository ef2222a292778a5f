"""The largest documents that are still read: a byte more, and the samples' tests find too much."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.reliability import fault

from lesson_runner.document.lessons import MAX_LESSON_BYTES
from lesson_runner.document.yaml_text import MAX_BYTES
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: hello}]\n-->\n```bash\necho hello\n```\n"


@pytest.mark.slow
@pytest.mark.parametrize(("more", "rules"), [(0, []), (1, ["too-large"])])
def test_a_lesson(lesson: Lesson, tmp_path: Path, more: int, rules: list[str]) -> None:
    text = lesson_text(STEP)
    size = MAX_LESSON_BYTES - len(text.encode()) + more
    path = tmp_path / "a.md"
    path.write_text(text + ("word " * 20 + "\n") * (size // 101) + "\n" * (size % 101))
    assert path.stat().st_size == MAX_LESSON_BYTES + more
    found = lesson("validate", "a.md", "--json").json["findings"]
    assert [item["rule"] for item in found if item["severity"] == "error"] == rules


@pytest.mark.parametrize(("more", "rules"), [(0, []), (1, ["yaml-too-large"])])
def test_yaml(lesson: Lesson, tmp_path: Path, more: int, rules: list[str]) -> None:
    text = lesson_text(STEP, note="")
    yaml = text.split("---\n")[1]
    note = "x" * (MAX_BYTES - len(yaml.encode()) + more)
    (tmp_path / "a.md").write_text(text.replace('note: ""', f'note: "{note}"'))
    assert [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]] == rules


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def vast(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no room


@pytest.mark.slow
@fault(
    "hostile lessons",
    "something that is not a regular file, or that never ends, in place of a document",
    how="a pipe, a link to /dev/zero, a file of 1 TB: as lesson, record, policy, settings, evidence",
    seen="a finding or an error that names the file; exit 1, 2 or 5",
    survives="memory and time: it is not read",
)
@pytest.mark.parametrize("make", [pipe, endless, vast], ids=lambda make: make.__name__)
def test_files_that_are_none(lesson: Lesson, tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    output = run / "evidence" / "one" / "output.txt"
    output.unlink()
    make(output)
    assert lesson("report", "--format", "html").code == 0
    (run / "record.json").unlink()
    make(run / "record.json")
    assert lesson("report").code == 2
    assert lesson("runs", "--json").json == [] or "error" in lesson("runs", "--json").json[0]
    (tmp_path / "lessons").mkdir()
    for name in ("lessons/b.md", "policy.yaml", "lesson.toml"):
        make(tmp_path / name)
    assert lesson("cert", "status", "a.md", "--policy", "policy.yaml").code == 2
    assert lesson("validate", "a.md", "--config", "lesson.toml").code == 2
    (tmp_path / "lesson.toml").unlink()
    said = lesson("validate", "lessons", "--json")
    if make is endless:  # a link that leads out of the folder is not looked at
        assert said.code == 2
    else:
        assert [item["rule"] in ("unreadable", "too-large") for item in said.json["findings"]] == [True]
    assert lesson("matrix", "--lessons", "lessons").code == (2 if make is endless else 0)
