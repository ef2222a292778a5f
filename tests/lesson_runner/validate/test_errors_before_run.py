"""What ``lesson validate`` calls an error stops every command that would run the lesson."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Action, ActionCall, Diagnostic, Lesson, Location, Outcome, Rule
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"
RUN = ["run", "a.md", "--allow", "shell"]


@pytest.fixture(autouse=True)
def document(tmp_path: Path) -> Path:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(f"# Sample\n\n[notes](notes.md)\n\n{STEP}"))
    return path


@pytest.mark.parametrize(
    "arguments", [RUN, ["plan", "a.md"], ["certify", "a.md", "--policy", "emulated", "--allow", "shell"]]
)
def test_an_error_stops_the_command(lesson: Command, tmp_path: Path, arguments: list[str]) -> None:
    if arguments[0] == "certify":
        pytest.importorskip("cryptography")
        assert lesson("cert", "keys", "new", "tester").code == 0
    (found,) = lesson("validate", "a.md", "--json").json["findings"]
    said = lesson(*arguments)
    assert (said.code, found["rule"]) == (2, "dead-link")
    assert f"a.md:{found['line']}:{found['column']}: error: {found['message']}" in said.err
    assert not list(tmp_path.glob(".lesson/runs/*"))


def test_an_error_stops_a_resumed_run(lesson: Command, tmp_path: Path, document: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n")
    document.write_text(document.read_text().replace("echo one", "cat ready"))
    assert lesson(*RUN).code == 1
    (tmp_path / "notes.md").unlink()
    said = lesson("resume", "--allow", "shell")
    assert (said.code, "[dead-link]" in said.err) == (2, True)


@pytest.mark.parametrize("settings", ['ignore = ["dead-link"]', '[severity]\ndead-link = "warning"'])
def test_settings_apply_to_a_run_too(lesson: Command, tmp_path: Path, settings: str) -> None:
    (tmp_path / "lesson.toml").write_text(settings)
    assert lesson("validate", "a.md").code == 0
    assert lesson(*RUN).code == 0


def test_settings_make_a_note_an_error(lesson: Command, tmp_path: Path, document: Path) -> None:
    document.write_text(lesson_text(STEP.replace("\nexpect: [{contains: one}]", "")))
    assert lesson(*RUN).code == 0
    (tmp_path / "lesson.toml").write_text('[severity]\nonly-exit = "error"\n')
    assert lesson("validate", "a.md").code == 1
    said = lesson(*RUN)
    assert (said.code, "[only-exit]" in said.err) == (2, True)


def test_settings_with_errors_stop_a_run(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "lesson.toml").write_text('ignore = ["dead-lnk"]')
    said = lesson(*RUN)
    assert said.code == 2
    assert (
        "lesson.toml:1:1: error: settings: ignore: no rule 'dead-lnk' (did you mean 'dead-link'?)" in said.err
    )


def test_a_comment_that_ignores_a_rule_lets_the_lesson_run(lesson: Command, document: Path) -> None:
    text = document.read_text().replace(
        "[notes]", "<!-- ignore {rules: [dead-link], reason: made later} -->\n\n[notes]"
    )
    document.write_text(text)
    assert lesson("validate", "a.md").code == 0
    assert lesson(*RUN).code == 0


def test_an_error_of_a_plugin_s_rule_stops_a_run(lesson: Command, document: Path) -> None:
    def check(lesson: Lesson, scope: object) -> list[Diagnostic]:
        return [Diagnostic("theirs.rule", "error", "it is Monday", Location(lesson.path, 3))]

    plugin = fake_plugin("theirs", rules=[Rule("theirs.rule", "error", "Mondays.", "Page.", check)])
    document.write_text(lesson_text(STEP))
    said = lesson(*RUN, plugins=[plugin])
    assert said.code == 2
    assert "a.md:3:1: error: it is Monday [theirs.rule]" in said.err


def test_a_lesson_without_directives_is_not_stopped_by_rules(lesson: Command, document: Path) -> None:
    act = Action("theirs.act", "Act", lambda *_: Outcome(), self_judging=True)
    plugin = fake_plugin(
        "theirs", actions=[act], interpret_block=lambda block: [ActionCall("theirs.act", {}, block.location)]
    )
    document.write_text(lesson_text("## Step 1: go\n\n[notes](notes.md)\n\n```bash\ngo\n```"))
    assert lesson("validate", "a.md", plugins=[plugin]).code == 1
    assert lesson(*RUN, plugins=[plugin]).code == 0


def test_a_copy_of_an_installed_lesson_runs(lesson: Command, tmp_path: Path, document: Path) -> None:
    (tmp_path / "installed").mkdir()
    document.write_text(lesson_text(STEP))
    (tmp_path / "installed" / "sample.md").write_text(lesson_text(STEP))
    plugin = fake_plugin("theirs", directories=[tmp_path / "installed"])
    assert lesson(*RUN, plugins=[plugin]).code == 0
