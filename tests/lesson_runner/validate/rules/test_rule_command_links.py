"""Links to commands, to other lessons, and to scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n\n"
SHOW = "command:tenstorrent.showLesson"


def found(lesson: Lesson, text: str, *, path: Path = Path("a.md")) -> list[str]:
    path.write_text(lesson_text(STEP) + "\n" + text, "utf-8")
    return [
        f"{f['rule']}: {f['message']} ({f['fix']})"
        for f in lesson("validate", path, "--json").json["findings"]
    ]


@pytest.mark.parametrize(
    "target",
    [
        f'{SHOW}?["sample"]',
        f'{SHOW}?{{"lessonId":"sample"}}',
        f'{SHOW}?[{{"lessonId":"sample"}}]',
        SHOW + "?" + quote('{"lessonId": "sample"}', safe=""),
        SHOW + "?" + quote('["sample"]', safe=""),
        f"{SHOW}?%22sample%22",
        "command:workbench.action.files.save",
        "command:tenstorrent.run?[1,2,null]",
        "command:tenstorrent.run?%5B%22100%25%22%5D",
        "COMMAND:tenstorrent.run",
    ],
)
def test_commands_that_run(lesson: Lesson, tmp_path: Path, target: str) -> None:
    assert found(lesson, f"[a]({target})") == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("command:", "'' is not the id of a command"),
        ("command:save", "'save' is not the id of a command"),
        ("command:a.b/c", "'a.b/c' is not the id of a command"),
        ("command:.a", "'.a' is not the id of a command"),
        ("command:a.b?x", "the arguments of 'a.b' are not JSON: Expecting value at 'x'"),
        ("command:a.b?['x']", "not JSON"),
        ("command:a.b?%5B1", "not JSON"),
        ("command:a.b?[1]]", "not JSON: Extra data at ']'"),
        ("command:a.b?" + "%5B" * 3_000, "not JSON"),
        ('command:a.b?{"a": 1}', "contain a space"),
        (SHOW, "needs the id of a lesson"),
        (f"{SHOW}?[]", "needs the id of a lesson"),
        (f"{SHOW}?[7]", "needs the id of a lesson"),
        (f'{SHOW}?{{"lesson":"sample"}}', "needs the id of a lesson"),
        (f'{SHOW}?[""]', "needs the id of a lesson"),
    ],
)
def test_command_links_that_do_not_work(lesson: Lesson, tmp_path: Path, target: str, message: str) -> None:
    [said] = found(lesson, f"[a]({target})")
    assert said.startswith("command-link: ")
    assert message in said


def test_lessons_are_known_by_id_and_by_file(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(lesson_text(STEP, id="another-one"))
    (tmp_path / "broken.md").write_bytes(b"\xff")
    link = f'[a]({SHOW}?["%s"])'
    assert found(lesson, " ".join(link % name for name in ("another-one", "other", "broken", "sample"))) == []
    [said] = found(lesson, link % "another-on")
    assert said == ("unknown-lesson: no known lesson has the id 'another-on' (did you mean 'another-one'?)")


def test_lessons_are_known_that_are_validated_together(lesson: Lesson, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        other = "two" if name == "one" else "one"
        text = lesson_text(STEP, id=name) + f'\n[a]({SHOW}?["{other}"])'
        (tmp_path / name / f"{name}.md").write_text(text)
    assert lesson("validate", "one", "two", "--json").json["findings"] == []
    [alone] = lesson("validate", "one", "--json").json["findings"]
    assert (alone["rule"], alone["severity"]) == ("unknown-lesson", "warning")
    assert "together" in alone["fix"]


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:a)",
        "[a](JavaScript:a)",
        "[a](java&#x73;cript:a)",
        "[a](vbscript:a)",
        "<javascript:a>",
        "![a](javascript:a)",
        "<a href='javascript:a'>a</a>",
        "<a href=' java\tscript:a'>a</a>",
        "<div>\n<a href=javascript:a>a</a>\n</div>",
        "[a](data:text/html;base64,PGI+)",
        "[a](data:image/svg+xml,x)",
    ],
)
def test_links_that_run_something(lesson: Lesson, tmp_path: Path, text: str) -> None:
    assert [said.split(":")[0] for said in found(lesson, text)] == ["unsafe-link"]


@pytest.mark.parametrize(
    "text",
    [
        "![a](data:image/png;base64,iVBORw0KGgo=)",
        "![a](data:image/svg+xml,x)",
        "[a](https://example.org/javascript:a)",
        "[a](#javascript:a)",
        "[a](vscode:extension/tenstorrent.tt)",
        "`[a](javascript:a)`",
        "<!-- [a](javascript:a) -->",
    ],
)
def test_links_that_run_nothing(lesson: Lesson, tmp_path: Path, text: str) -> None:
    assert not [said for said in found(lesson, text) if "unsafe-link" in said]
