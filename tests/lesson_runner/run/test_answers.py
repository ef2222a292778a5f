"""``answers`` types for the reader, at a terminal device and in the state of the run's terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.run.directives import record, steps

from lesson_runner.model import ActionCall, Block
from lesson_runner.model import Lesson as Document

Lesson = Callable[..., Said]
ASKS = """answers:
  - {ask: 'name\\?', answer: Ann}
  - {ask: 'Password', answer: correct-horse, secret: true}"""


def test_questions_are_answered_in_the_terminal_of_the_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            ("id: one", "mkdir sub; cd sub; A=1"),
            (
                f"id: ask\n{ASKS}\nexpect: [{{contains: 'Hello Ann, 1, sub'}}, {{contains: 'a terminal'}}]",
                (
                    "read -p 'Your name? ' name; echo Hello $name, $A, ${PWD##*/}\n"
                    "[[ -t 0 && -t 1 ]] && echo a terminal\n"
                    "read -p 'Password: ' word </dev/tty; B=${#word}; cd .."
                ),
            ),
            ("id: after\nexpect: [{contains: '1 13 files'}]", "echo $A $B ${PWD##*/}; [[ ! -t 0 ]]"),
        )
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said
    assert "correct-horse" not in said.out
    for path in record(tmp_path)["folder"].rglob("*"):
        assert not (path.is_file() and "shell" not in path.parts and b"correct-horse" in path.read_bytes()), (
            path
        )


@pytest.mark.parametrize(
    ("head", "block", "message"),
    [
        ("answers: [{ask: Age, answer: '7'}]\ntimeout: 0.5s", "read -p 'Your name? ' name", "'Your name?'"),
        ("answers: [{ask: Age, answer: '7'}]", "echo nothing to ask", "it did not ask 'Age'"),
        ("answers: [{ask: Age, answer: '7'}]", "read -p Age age; exit $age", "exit code 7"),
    ],
)
def test_what_is_not_as_announced_fails(
    lesson: Lesson, tmp_path: Path, head: str, block: str, message: str
) -> None:
    (tmp_path / "a.md").write_text(steps((f"id: ask\n{head}", block), ("id: next", "echo next")))
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    found = record(tmp_path)["by_id"]
    assert message in found["ask"]["message"]
    assert found["next"]["status"] == "passed"


def by_hand(block: Block, lesson: Document) -> list[ActionCall]:
    return [ActionCall("shell", {"script": block.text, "person": True}, block.location)]


def test_a_step_for_a_person_is_skipped_where_there_is_none(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(steps(("id: ask", "read name"), ("id: next\nneeds: [ask]", "true")))
    lesson("run", "a.md", "--allow", "shell", plugins=[fake_plugin("hand", interpret_block=by_hand)])
    found = record(tmp_path)["by_id"]
    assert [step["status"] for step in found.values()] == ["skipped", "skipped"]
    assert "person" in found["ask"]["message"]


@pytest.mark.slow
def test_the_person_at_a_terminal_takes_over(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            ("id: ask\nuses: shell\nwith: {person: true}", "read -p 'Your name? ' name"),
            ("id: after\nexpect: [{contains: AnnX}]", "echo ${name}X"),
        )
    )
    child, terminal = pty.fork()
    if not child:
        os.chdir(tmp_path)
        command = [sys.executable, "-m", "lesson_runner", "run", "a.md", "--allow", "shell"]
        os.execve(sys.executable, command, {**os.environ, "LESSON_HOME": str(tmp_path / "home")})
    shown, answered = b"", False
    with contextlib.suppress(OSError):  # the end of what a terminal device shows is an error
        while data := os.read(terminal, 65_536):
            shown += data
            if not answered and (answered := shown.endswith(b"Your name? ")):
                os.write(terminal, b"Ann\r")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown.decode()
    assert record(tmp_path)["by_id"]["after"]["status"] == "passed"
