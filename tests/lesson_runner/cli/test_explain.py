"""``lesson explain``: all rules, one rule, and a rule that does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.model import Rule
from lesson_runner.validate.rules.table import RULES

Lesson = Callable[..., Any]


def rules() -> list[Rule]:
    print("from the plugin")
    return [
        Rule("own.loud", "warning", "Too loud.\x1b[2J", page="# Why\n\nIt *hurts*.\x1b[2J"),
        Rule("own.silent", "info", "No page."),
    ]


own = fake_plugin("own", rules=rules)


def test_all_rules(lesson: Lesson) -> None:
    said = lesson("explain", plugins=[own])
    rows = [row.split(maxsplit=2) for row in said.out.splitlines()]
    assert rows[: len(RULES)] == [[rule.id, rule.severity, rule.summary] for rule in RULES]
    assert rows[len(RULES) :] == [["own.loud", "warning", "Too loud.�"], ["own.silent", "info", "No page."]]
    assert said.err == "from the plugin\n"


def test_all_rules_as_json(lesson: Lesson) -> None:
    said = lesson("explain", "--json", plugins=[own])
    assert said.json[0] == {"id": RULES[0].id, "severity": RULES[0].severity, "summary": RULES[0].summary}
    assert [item["id"] for item in said.json] == [*(rule.id for rule in RULES), "own.loud", "own.silent"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_page_with_an_example(rule: Rule, lesson: Lesson) -> None:
    said = lesson("explain", rule.id)
    head, empty, *page = said.out.splitlines()
    assert said.code == 0
    assert head == f"{rule.id} ({rule.severity}): {rule.summary}"
    assert empty == ""
    assert any(row.startswith("Wrong") for row in page)
    assert any(row.startswith("Right") for row in page)
    assert lesson("explain", rule.id, "--json").json["page"] == "\n".join(page)


def test_rules_of_plugins(lesson: Lesson) -> None:
    said = lesson("explain", "own.loud", plugins=[own])
    assert said.out == "own.loud (warning): Too loud.�\n\n# Why\n\nIt *hurts*.�\n"
    assert lesson("explain", "own.silent", plugins=[own]).out == "own.silent (info): No page.\n"
    assert lesson("explain", "own.silent", "--json", plugins=[own]).json["page"] == ""


def test_on_a_terminal(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = lesson("explain", "missing-key")
    plain = re.sub(r"\x1b\[[\d;]*m", "", said.out)
    assert plain != said.out
    assert "`" not in plain.split("Wrong")[0]  # Markdown is rendered
    assert "echo hello" in plain


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("unknown-keys", "did you mean 'unknown-key'?"),
        ("[unknown-key]", "did you mean 'unknown-key'?"),
        ("Own.Loud", "did you mean 'own.loud'?"),
        ("\x1b[2Jzzz", "'lesson explain' lists all rules"),
        ("", "'lesson explain' lists all rules"),
    ],
)
def test_an_unknown_rule(lesson: Lesson, name: str, hint: str) -> None:
    said = lesson("explain", name, plugins=[own])
    assert said.code == 2
    assert said.out == ""
    assert "error: there is no rule '" in said.err
    assert f"fix: {hint}" in said.err
    assert "\x1b" not in said.err
