"""The output that a step's block shows is compared with what the block prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.testing import lesson_text, plan_lesson, run_lesson

TRACEBACK = """\
Traceback (most recent call last):
  File "<stdin>", line 1, in <module>
ZeroDivisionError: division by zero"""
DATACLASS = """\
>>> import dataclasses
>>> @dataclasses.dataclass
... class A:
...     x: int
..."""


def step(text: str, language: str = "console", more: str = "expect: [{exit: 0}]") -> str:
    return lesson_text(f"<!-- step\nid: one\n{more}\n-->\n```{language}\n{text}\n```\n")


def run(
    folder: Path, text: str, language: str = "console", more: str = "expect: [{exit: 0}]"
) -> dict[str, Any]:
    [result] = run_lesson(step(text, language, more), folder)["steps"]
    return dict(result)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("console", "$ echo a; echo b\na\nb\n$ echo c\nc"),
        ("bash", "$ echo a\n\na"),
        ("", "$ echo a\na"),
        ("console", "$ seq 9\n1\n...\n9"),
        ("console", "$ seq 9\n1\n…\n[...]\n9"),
        ("console", "$ echo took $$ ms\ntook ... ms"),
        ("console", "Welcome\n$ echo a\na"),  # what is above the first prompt is not compared
        ("console", "$ echo a\na\n\n# Then this:\n$ echo b\nb"),  # nor are comments above a command
        ("console", "# echo hello\nhello"),
        ("sh-session", "(venv) $ echo '> a'\n> a"),
        ("pycon", ">>> 1 + 2\n3\n>>> x = 'a'\n>>> x\n'a'"),
        ("python", ">>> for i in range(2):\n...     print(i)\n...\n0\n1"),
        ("", ">>> 'a' * 2\n'aa'"),
        ("console", ">>> None\n>>> 5\n5"),
        ("ipython", "In [1]: 20 + 1\nOut[1]: 21"),
        ("pycon", "Python 3.9 on linux\n>>> 1\n1"),
        ("pycon", f">>> 1 / 0\n{TRACEBACK}\n>>> 2\n2"),
        ("pycon", f"{DATACLASS}\n>>> A(1)\nA(x=1)"),
    ],
)  # fmt: skip
def test_a_step_that_prints_what_its_block_shows_passes(tmp_path: Path, language: str, text: str) -> None:
    assert run(tmp_path, text, language)["status"] == "passed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("console", "$ echo a\nb", 2),
        ("console", "$ echo a\na\n$ true\na", 4),  # each command has an output of its own
        ("console", "$ echo b; echo a\na\nb", 3),
        ("console", "$ true\n# A title", 2),
        ("pycon", ">>> 1 + 2\n4", 2),
        ("pycon", ">>> x = 1\n>>> x\n1\n2", 4),
    ],
)
def test_a_step_that_prints_something_else_fails(tmp_path: Path, language: str, text: str, line: int) -> None:
    result = run(tmp_path, text, language)
    begin = step(text, language).split("\n").index(f"```{language}") + 1
    assert result["status"] == "failed"
    assert f":{begin + line}:1 shows this line as output" in result["message"]
    assert "`output: ignore`" in result["message"]
    assert run(tmp_path, text, language, "output: ignore")["status"] == "passed"


def test_own_expectations_do_not_replace_the_comparison(tmp_path: Path) -> None:
    text = "$ echo a\nb"
    more = "expect: [{contains: a}]"
    [result] = run_lesson(step(text, more=more), tmp_path)["steps"]
    assert [(item["matcher"], item["passed"]) for item in result["verdicts"]] == [
        ("exit", True),
        ("contains", True),
        ("lines", False),
    ]


def test_an_exception_that_is_not_shown_ends_a_session(tmp_path: Path) -> None:
    result = run(tmp_path, ">>> 1 / 0\n>>> print('after')", "pycon", "title: Divide")
    assert result["status"] == "failed"
    assert "ZeroDivisionError" in result["message"]


def test_a_statement_that_python_cannot_parse_fails_without_lines_of_ours(tmp_path: Path) -> None:
    result = run(tmp_path, ">>> x = 1\n>>> x +", "pycon", "title: Add")
    [output] = tmp_path.rglob("output.txt")
    assert result["status"] == "failed"
    assert '/lesson.md", line 16\n' in output.read_text()
    assert "Traceback" not in output.read_text()


def test_the_place_of_a_block_does_not_change_the_digest_of_the_plan(tmp_path: Path) -> None:
    text = step("$ echo a\na")
    plan, moved = (plan_lesson(item, tmp_path) for item in (text, text.replace("<!-- step", "\n\n<!-- step")))
    assert plan.steps[0].expect == (plan.steps[0].expect[0], plan.steps[0].expect[1])
    assert plan.steps[0].expect[1].places != moved.steps[0].expect[1].places
    assert plan.digest == moved.digest != plan_lesson(step("$ echo a\nb"), tmp_path).digest


@pytest.mark.parametrize(
    "text",
    [
        "touch run\ntouch run",
        "# mytool\ntouch run",
        "> touch run",
        "PS C:\\> touch run",
        "PS> touch run\n$ ls",
    ],
)
def test_nothing_runs_if_commands_and_output_look_the_same(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidLessonError) as error:
        run_lesson(step(text), tmp_path)
    assert [item.rule for item in error.value.diagnostics] == ["unclear-transcript"]
    assert not list(tmp_path.rglob("run"))
