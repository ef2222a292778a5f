"""``lesson validate``: its documents, its output, and its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"
SILENT = "<!-- step\nid: one\n-->\n```bash\ntrue\n```"
GOOD, QUIET = lesson_text(STEP), lesson_text(SILENT)


def rules(said: Any) -> list[str]:
    return [finding["rule"] for finding in said.json["findings"]]


def against_capitals(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    if lesson.title.isupper():
        place = lesson.positions[("title",)]
        yield Diagnostic("shouting.title", "warning", "the title shouts", place, "say it quietly")


def fail(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    yield Diagnostic("shouting.broken", "error", "never seen", Location(lesson.path, 1))
    raise RuntimeError("on purpose")


PAGE = "Capitals are hard to read."
shouting = fake_plugin(
    "shouting",
    rules=[
        Rule("shouting.title", "warning", "A title in capitals.", PAGE, against_capitals),
        Rule("shouting.broken", "error", "A rule that does not work.", PAGE, fail),
        Rule("title", "error", "A rule with a name that is not the plugin's.", PAGE, against_capitals),
    ],
)


def test_a_folder_is_searched_for_lessons(lesson: Command, tmp_path: Path) -> None:
    for name in (
        "a.md",
        "deep/er/b.md",
        "README.md",
        "docs/changelog.md",
        ".hidden/c.md",
        "node_modules/d.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lesson_text(STEP, id=path.stem.lower()))
    said = lesson("validate", ".", "--json")
    assert said.json["lessons"] == ["a.md", "deep/er/b.md"]


def test_a_file_named_twice_is_one_lesson(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(GOOD)
    said = lesson("validate", "a.md", ".", tmp_path / "a.md", "--json")
    assert said.json["lessons"] == ["a.md"]
    assert rules(said) == []


def test_a_file_named_by_itself_is_a_lesson_whatever_it_is_called(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no frontmatter")
    assert rules(lesson("validate", "README.md", "--json")) == ["no-frontmatter", "no-steps"]


def test_only_errors_make_it_fail(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(QUIET)
    said = lesson("validate", "a.md", "--json")
    assert (said.code, rules(said)) == (0, ["only-exit"])


def test_select_and_ignore(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(SILENT, status="blocked"))
    assert rules(lesson("validate", "a.md", "--json")) == ["blocked-without-reason", "only-exit"]
    assert rules(lesson("validate", "a.md", "--json", "--select", "only-exit")) == ["only-exit"]
    assert rules(lesson("validate", "a.md", "--json", "--ignore", "only-*,unused-ignore")) == [
        "blocked-without-reason"
    ]
    both = lesson("validate", "a.md", "--json", "--select", "only-exit", "--ignore", "only-exit")
    assert rules(both) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--select", "only-exits"],
            "--select only-exits: there is no such rule\nfix: did you mean 'only-exit'?",
        ),
        (["--ignore", "zzz"], "--ignore zzz: there is no such rule\nfix: see 'lesson explain' for all rules"),
        (["--format", "xml"], "--format xml: expected one of text, json, github, sarif"),
        (["--config", "none.toml"], "--config none.toml: no such file"),
    ],
)
def test_wrong_options(lesson: Command, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "a.md").write_text(GOOD)
    said = lesson("validate", "a.md", *arguments)
    assert said.code == 2
    assert message in said.err


def test_rules_of_plugins(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP, title="SAMPLE"))
    said = lesson("validate", "a.md", plugins=[shouting])
    assert said.code == 1
    assert "a.md:3:1: warning: the title shouts (say it quietly) [shouting.title]" in said.out
    assert rules(lesson("validate", "a.md", "--json", "--ignore", "shouting.*", plugins=[shouting])) == [
        "plugin-failed"  # one of its rules has a wrong id
    ]
    listed = lesson("plugins", plugins=[shouting])
    assert "shouting.title" in listed.out
    assert "does not work: in lesson_rules: ValueError: 'title'" in listed.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(GOOD)
    (tmp_path / "a.md").chmod(0)
    assert rules(lesson("validate", ".", "--json")) == ["unreadable"]


class TestIgnoreComments:
    """``ignore`` comments, with a reason."""

    @pytest.mark.parametrize(
        ("before", "left"),
        [
            ("<!-- ignore {rules: [only-exit], reason: silent} -->\n", []),
            ("<!-- ignore\nrules: [only-exit]\nreason: silent\n-->\n\n", []),
            (
                "<!-- ignore {rules: [only-exit], reason: silent} -->\ntext\n\n",
                ["only-exit", "unused-ignore"],
            ),
            ("<!-- ignore {rules: [only-exit], reason: silent, file: true} -->\ntext\n\n", []),
            ("<!-- ignore {rules: [only-exit]} -->\n", ["missing-key"]),
            ("<!-- ignore {rules: [], reason: none} -->\n", ["wrong-value"]),
            ("<!-- ignore only-exit because I say so -->\n", ["only-exit"]),
            ("<!-- ignored {rules: [only-exit], reason: silent} -->\n", ["unknown-directive"]),
        ],
    )
    def test_before_a_step(self, lesson: Command, tmp_path: Path, before: str, left: list[str]) -> None:
        (tmp_path / "a.md").write_text(QUIET.replace("<!-- step", f"{before}<!-- step"))
        assert sorted(rules(lesson("validate", "a.md", "--json"))) == left

    def test_after_the_step_it_does_not_count(self, lesson: Command, tmp_path: Path) -> None:
        comment = "\n<!-- ignore {rules: [only-exit], reason: silent} -->\n"
        (tmp_path / "a.md").write_text(QUIET + comment)
        assert sorted(rules(lesson("validate", "a.md", "--json"))) == ["only-exit", "unused-ignore"]

    def test_it_is_not_unused_if_its_rule_was_not_applied(self, lesson: Command, tmp_path: Path) -> None:
        comment = "<!-- ignore {rules: [blocked-without-reason], reason: tbd, file: true} -->\n"
        (tmp_path / "a.md").write_text(QUIET.replace("<!-- step", f"{comment}\n<!-- step"))
        assert "unused-ignore" in rules(lesson("validate", "a.md", "--json"))
        assert rules(lesson("validate", "a.md", "--json", "--ignore", "blocked-*,only-exit")) == []

    def test_a_run_still_refuses_what_it_hides(self, lesson: Command, tmp_path: Path) -> None:
        comment = "<!-- ignore {rules: [unknown-action], reason: not written yet, file: true} -->\n\n"
        (tmp_path / "a.md").write_text(GOOD.replace("<!-- step", f"{comment}<!-- step\nuses: no.such"))
        assert lesson("validate", "a.md").code == 0
        assert lesson("run", "a.md", "--allow", "shell").code == 2


class TestSettings:
    """``lesson.toml`` and ``pyproject.toml``."""

    def test_the_nearest_settings_are_used(self, lesson: Command, tmp_path: Path, monkeypatch: Any) -> None:
        (tmp_path / "a.md").write_text(QUIET)
        (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
        (tmp_path.parent / "lesson.toml").write_text("ignore = ['only-exit']\n")
        try:
            assert rules(lesson("validate", "a.md", "--json")) == []
            (tmp_path / "pyproject.toml").write_text("[tool.lesson]\n")
            assert rules(lesson("validate", "a.md", "--json")) == ["only-exit"]
        finally:
            (tmp_path.parent / "lesson.toml").unlink()

    def test_everything_at_once(self, lesson: Command, tmp_path: Path) -> None:
        for name in ("a", "b", "old"):
            (tmp_path / f"{name}.md").write_text(lesson_text(SILENT, id=name, status="blocked"))
        (tmp_path / "lesson.toml").write_text(
            'ignore = ["unused-ignore"]\nexclude = ["old.md"]\n'
            '[severity]\nonly-exit = "error"\n'
            '[per-file-ignores]\n"b.md" = ["blocked-*"]\n'
        )
        said = lesson("validate", ".", "--json")
        found = [(f["path"], f["severity"], f["rule"]) for f in said.json["findings"]]
        assert ("a.md", "warning", "blocked-without-reason") in found
        assert ("a.md", "error", "only-exit") in found
        assert [item for item in found if item[0] == "b.md" and item[2].startswith("blocked")] == []
        assert [item for item in found if item[0] == "old.md"] == []
        assert said.code == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "ignores = ['x']",
                "lesson.toml:1:1: error: settings: unknown key 'ignores' (did you mean 'ignore'?)",
            ),
            ("ignore = 'x'", 'settings: ignore: "x" is not a list'),
            ("ignore = ['only-exits']", "settings: ignore: no rule 'only-exits' (did you mean 'only-exit'?)"),
            ("[severity]\nonly-exit = 'bad'", "'bad' is not allowed; expected one of error, warning, info"),
            ("ignore = [", "lesson.toml: not valid TOML"),
            (f"a = {'1' * 5_000}", "lesson.toml: not valid TOML"),
            ("ignore = 1979-01-01", 'settings: ignore: "1979-01-01" is not a list'),
        ],
    )
    def test_wrong_settings(self, lesson: Command, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "a.md").write_text(GOOD)
        (tmp_path / "lesson.toml").write_text(text)
        said = lesson("validate", "a.md")
        assert said.code == 2
        assert message in said.err

    def test_settings_that_are_not_a_table(self, lesson: Command, tmp_path: Path) -> None:
        (tmp_path / "a.md").write_text(GOOD)
        (tmp_path / "pyproject.toml").write_text("tool.lesson = 3\n")
        said = lesson("validate", "a.md")
        assert (said.code, "tool.lesson is not a table" in said.err) == (2, True)
