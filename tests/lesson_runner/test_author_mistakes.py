"""One mistake gives one finding, at its place, with the fix."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.run.test_recognise import SHOP, SHOPPING

from lesson_ct4 import plugin as ct4
from lesson_runner.testing import ModuleEntryPoint, lesson_text

Command = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n"


@pytest.fixture
def found(lesson: Command, tmp_path: Path) -> Callable[[str], list[str]]:
    """Validates a document; returns ``rule line:column message (fix)`` of every error and warning."""

    def look(text: str) -> list[str]:
        (tmp_path / "a.md").write_text(text)
        findings = lesson("validate", "a.md", "--json").json["findings"]
        return [
            f"{item['rule']} {item['line']}:{item['column']} {item['message']} ({item['fix']})"
            for item in findings
            if item["severity"] != "info"
        ]

    return look


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("contains: one", 'regex: "\\d"', "not valid YAML: in double quotes a backslash"),
        ("contains: one", "regex: [0-9]+", "not valid YAML: text after ] (put the value in single quotes"),
        ("contains: one", "contains: @one", "not valid YAML: a value cannot begin with @ (put the value"),
        ("contains: one", 'contains: "one', 'not valid YAML: the quote " is never closed (close it'),
        ("expect: [", "expect: a: [", "a ': ' where no key is allowed (put a value that contains ': '"),
        ("expect: [", "expect:\n\t- [", "a tab; YAML is indented with spaces only (write spaces"),
        ("id: one", "id: My Step", 'id: "My Step" is not written like first-step'),
        ("id: one", "id: one\ntimeout: soon", '"soon" is not written like 90s or 30m or 2h'),
        ("id: one", "id: one\nneeds: two", 'needs: "two" is not a list (write [two])'),
        ("id: one", "id: one\nretries: '2'", '"2" is not a whole number (write 2, without quotes)'),
        ("contains: one", "contains: 1", '1 is not text (put it in quotes: "1")'),
        ("contains: one", "file: a.txt", '"a.txt" is not a mapping (write {path: a.txt})'),
        ("contains: one", "metric: {name: a, minimum: 1}", "unknown key 'minimum' (did you mean 'min'?)"),
        ("contains: one", "", "expect[1]: needs at least 1 key"),
        ("id: one", "id: one\ncapture: {n: '\\d'}", "capture.n: '\\d' needs exactly one group ( ) (put ( )"),
        ("id: one", "id: one\nneeds: [two]", "'two', which does not exist (remove it)"),
        ("step\n", "step:\n", "'step:' is not a directive (did you mean 'step'?)"),
        ("step\nid: one\nexpect: [{contains: one}]\n", "Step {id: one} ", "'Step' is not a directive"),
        ("```bash\n", "```\n", "no action runs a block without a language (write one of"),
        (
            "echo one\n",
            "echo one\n\n```bash\necho two\n",
            "'```bash' is inside the block that begins on line",
        ),
    ],
)
def test_one_mistake_one_finding(
    found: Callable[[str], list[str]], right: str, wrong: str, message: str
) -> None:
    assert found(lesson_text(STEP)) == []
    [said] = found(lesson_text(STEP.replace(right, wrong, 1)))
    assert message in said


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("title:", "titel:", "unknown-key 3:1 frontmatter: unknown key 'titel' (did you mean 'title'?)"),
        ("---\nid", "\n---\nid", "(delete the empty lines above it)"),
    ],
)
def test_one_mistake_in_the_frontmatter(
    found: Callable[[str], list[str]], right: str, wrong: str, message: str
) -> None:
    [said] = found(lesson_text(STEP).replace(right, wrong, 1))
    assert message in said


def test_what_differs_in_case_is_nearer_than_another_board(lesson: Command, tmp_path: Path) -> None:
    hardware = "supportedHardware: [N150]\nvalidatedOn: [n150]\nstatus: Draft\n"
    (tmp_path / "a.md").write_text(
        lesson_text(STEP).replace('supportedHardware: ["simulator"]\n', hardware, 1)
    )
    said = lesson("validate", "a.md")
    assert "(did you mean 'n150'?)" in said.out
    assert "1 lesson, 2 errors, 0 warnings" in said.out
    assert lesson("validate", "a.md", "--fix").code == 0
    assert "[n150]\nvalidatedOn: [n150]\nstatus: draft\n" in (tmp_path / "a.md").read_text()


def test_an_ignore_for_what_was_not_looked_for_is_not_unused(found: Callable[[str], list[str]]) -> None:
    comment = "<!-- ignore {rules: [only-exit], reason: it is short} -->\n"
    broken = STEP.replace("id: one", "id: one\nneed: []")
    assert [said.split()[0] for said in found(lesson_text(comment + broken))] == ["unknown-key"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("command", [("validate", "a.md", "--fix"), ("annotate", "a.md", "--write")])
def test_a_read_only_file_stays_as_it_is(lesson: Command, tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "a.md"
    text = lesson_text(SHOPPING).replace(
        '["simulator"]', "[Simulator]" if "--fix" in command else "[simulator]"
    )
    file.write_text(text)
    file.chmod(0o444)
    said = lesson(*command, points=[SHOP])
    assert (said.code, said.err.split("\n")[0]) == (2, "error: a.md: cannot be written: it is read-only")
    assert file.read_text() == text
    file.chmod(0o644)
    lesson(*command, points=[SHOP])
    assert file.read_text() != text


def test_a_lesson_named_without_its_ending(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(lesson_text(STEP))
    said = lesson("plan", "mine")
    assert said.code == 2
    assert "did you mean 'mine.md'?" in said.err


def test_commands_of_a_transcript_have_one_prompt(lesson: Command, tmp_path: Path) -> None:
    shown = STEP.replace("```bash\necho one", "```console\n$ echo one\none")
    (tmp_path / "a.md").write_text(lesson_text(shown))
    for said in (lesson("plan", "a.md"), lesson("run", "a.md", "--allow", "shell")):
        assert said.code == 0
        rows = [row.strip() for row in said.out.split("\n") if row.strip().startswith("$")]
        assert rows == ["$ echo one"]


def test_settings_say_where(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[project]\nname = "x"\n\n[tool.lesson.severity]\nno-such-rule = "error"\n')
    said = lesson("validate", "a.md")
    assert said.code == 2
    assert "the settings do not validate: 1 error" in said.err
    assert "pyproject.toml:5:1: error: tool.lesson: severity: no rule 'no-such-rule'" in said.err


def test_a_folder_of_which_all_is_excluded(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.md").write_text(lesson_text(STEP))
    (tmp_path / "lesson.toml").write_text('exclude = ["sub"]\n')
    said = lesson("validate", "sub")
    assert said.code == 2
    assert "all .md files in this folder are left out" in said.err


def test_an_empty_argument_is_not_this_folder(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP))
    said = lesson("validate", "")
    assert (said.code, said.out) == (2, "")
    assert "an empty argument names no lesson" in said.err


def test_what_two_rules_find_is_said_once(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: Here\n---\n")
    listed = lesson("validate", "a.md", "--json").json["findings"]
    missing = [item["message"] for item in listed if item["rule"] == "missing-key"]
    assert missing == sorted(missing) != []
    body = "In a venv:\n\n" + STEP.replace(
        "echo one", 'python train_nanogpt.py --data_path play.txt --model_path "x'
    )
    (tmp_path / "a.md").write_text(lesson_text(body))
    [found] = lesson("validate", "a.md", "--json", points=[ModuleEntryPoint(ct4, "ct4")]).json["findings"]
    assert found["rule"] == "ct4.shell-syntax"
    only = ("--ignore", "ct4.shell-syntax")
    [found] = lesson("validate", "a.md", "--json", *only, points=[ModuleEntryPoint(ct4, "ct4")]).json[
        "findings"
    ]
    assert found["rule"] == "shell-syntax"


def test_a_default_profile_without_a_name(lesson: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text("text", runner={"defaultProfile": {"o": None}}))
    said = lesson("validate", "a.md")
    assert (said.code, "unknown key 'o'" in said.out) == (0, True), said
