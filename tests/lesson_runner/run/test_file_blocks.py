"""``file`` writes a block into a file of the run; ``uses`` hands a block to any action that takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.run.directives import record, steps

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.testing import lesson_text, plan_lesson

Lesson = Callable[..., Said]


def test_a_block_becomes_a_file_where_the_terminal_is(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            ("id: one", "mkdir app; cd app; echo old >c.txt"),
            ("id: new\nfile: a/b.txt", "$HOME `id` é\\n"),
            ("id: old\nfile: c.txt", "new"),
        )
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said
    folder = record(tmp_path)["folder"]
    assert (folder / "files/app/a/b.txt").read_text() == "$HOME `id` é\\n\n"
    assert (folder / "evidence/new/b.txt").read_text() == "$HOME `id` é\\n\n"
    assert (folder / "files/app/c.txt").read_text() == "new\n"
    assert (folder / "evidence/old/output.txt").read_text() == "replaced c.txt (1 line)"


@pytest.mark.parametrize("path", ["../x.txt", "/tmp/lesson-x.txt", "~/x.txt", "link/x.txt", "sub"])
def test_other_places_are_refused(lesson: Lesson, tmp_path: Path, path: str) -> None:
    (tmp_path / "a.md").write_text(
        steps(("id: one", f"ln -s {tmp_path} link; mkdir sub"), (f"id: put\nfile: {path}", "text"))
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    message = record(tmp_path)["by_id"]["put"]["message"]
    assert message.startswith(f"{path}: ")
    assert ("--allow system" in message) == (path != "sub")
    assert not (tmp_path / "x.txt").exists()


def test_a_file_needs_permission_and_the_path_is_shown(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(steps(("id: put\nfile: a.txt", "text")))
    assert lesson("run", "a.md").code == 2
    assert "write a.txt:\n" in lesson("plan", "a.md").out


def test_saving_a_file_elsewhere_changes_the_machine(lesson: Lesson, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere.json"
    (tmp_path / "a.md").write_text(
        f"# A\n\nCreate `{place}`:\n\n```json\n{{}}\n```\n\nThen:\n\n```bash\necho 1\n```\n"
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said
    assert "changes this machine" in said.out
    assert not place.exists()
    assert lesson("run", "a.md", "--allow", "shell,system").code == 0
    assert place.read_text() == "{}\n"
    assert lesson("annotate", "a.md", "--write").code == 0
    assert "system: true" in (tmp_path / "a.md").read_text()


def take(params: Json, context: StepContext) -> Outcome:
    context.say(repr(params["page"]))
    return Outcome()


def test_uses_hands_over_the_block(lesson: Lesson, tmp_path: Path) -> None:
    page = {"type": "object", "properties": {"page": {"type": "string", "x-block": "text"}}}
    shop = fake_plugin("shop", actions=[Action("shop.take", "Take", take, page, self_judging=True)])
    text = lesson_text("<!-- step\nid: one\nuses: shop.take\n-->\n```html\n$ <p>\n</p>\n```\n")
    (tmp_path / "a.md").write_text(text)
    assert lesson("run", "a.md", plugins=[shop]).code == 0
    assert (record(tmp_path)["folder"] / "evidence/one/output.txt").read_text() == "'$ <p>\\n</p>\\n'"


@pytest.mark.parametrize(
    ("head", "place"),
    [
        ("file: a.txt\nuses: shell", "uses"),
        ("service: {}\nfile: a.txt", "file"),
        ("service: {}\nanswers: [{ask: a, answer: b}]", "answers"),
        ("service: {ready: {}}", "ready"),
        ("service: {ready: {port: 80, url: 'http://localhost'}}", "ready"),
        ("service: {ready: {port: 70000}}", "port"),
        ("service: {ready: {output: '('}}", "output"),
        ("file: 'a/'", "file"),
        ("answers: [{ask: a}]", "answers"),
        ('answers: [{ask: a, answer: "b\\n"}]', "answer"),
        ("choice: {group: tool}", "choice"),
        ("choice: {group: tool, option: pip}", "choice"),
        ("hint: ''", "hint"),
    ],
)
def test_wrong_keys_are_errors_at_their_place(lesson: Lesson, tmp_path: Path, head: str, place: str) -> None:
    (tmp_path / "a.md").write_text(steps((f"id: one\n{head}", "true")))
    said = lesson("validate", "a.md", "--format", "json")
    errors = [item for item in said.json["findings"] if item["severity"] == "error"]
    line = (tmp_path / "a.md").read_text().split("\n")[errors[0]["line"] - 1]
    assert (said.code, len(errors)) == (1, 1), said.out
    assert place in line


def test_the_plan_has_the_new_keys(tmp_path: Path) -> None:
    plan = plan_lesson(
        steps(
            ("id: one\nservice: {timeout: 2m, stop: x}\nhint: Try y.", "uvicorn app:app --port 8123"),
            ("id: two\ncleanup: true\nchoice: {group: a, option: b}", "true"),
            ("id: three\nchoice: {group: a, option: c}", "true"),
        ),
        tmp_path,
    )
    one, three, two = plan.steps
    assert (one.action, one.hint) == ("service", "Try y.")
    assert one.params["ready"] == {"port": 8123}
    assert one.params["timeout"] == "2m"
    assert (two.id, two.cleanup, three.id) == ("two", True, "three")
    assert [step.choice.option for step in plan.lesson.steps if step.choice] == ["b", "c"]


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_hint_is_shown_where_a_step_failed(lesson: Lesson, tmp_path: Path, form: str) -> None:
    (tmp_path / "a.md").write_text(
        steps(("id: one\nhint: Is the disk full?", "false"), ("id: two\nhint: Not needed.", "true"))
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert "Is the disk full?" in said.out
    assert "Not needed." not in said.out
    report = lesson("report", "--format", form).out
    assert "Is the disk full?" in report
    assert "Not needed." not in report
    assert "Not needed." in lesson("plan", "a.md").out
