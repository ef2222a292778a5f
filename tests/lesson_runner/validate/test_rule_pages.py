"""The examples on the pages of rules: the wrong ones have diagnostics, the right ones have none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.document.yaml_text import Origin, load
from lesson_runner.model import Rule
from lesson_runner.plugins import Action, Outcome
from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules import planning, reading, status, table

Lesson = Callable[..., Any]

PAGE = re.compile(
    r"\nWrong:\n\n(?P<a>`{3,})markdown\n(?P<wrong>.*?)\n(?P=a)\n\nRight:\n\n(?P<b>`{3,})markdown\n(?P<right>.*?)\n(?P=b)$",
    re.DOTALL,
)
ELSEWHERE = {"unreadable", "not-utf-8", "too-large", "yaml-too-large", "uncovered-block", "plugin-failed"}
"""Rules whose example is not a piece of a lesson that could be checked here."""
SIDECARS = [rule for rule in reading.RULES if rule.id.startswith("sidecar-")]
RULES = [
    rule for rule in (*reading.RULES, *planning.RULES) if rule.id not in ELSEWHERE and rule not in SIDECARS
]


ct4 = fake_plugin("ct4", actions=[Action("ct4.generate", "Generate", lambda params, context: Outcome())])
"""Has an action that a page names, and that does not judge itself."""


def found(lesson: Lesson, folder: Path, example: str) -> list[str]:
    """Return the rules that an example breaks; it may be a lesson or a piece of one."""
    whole = example.startswith("---") or ("---" not in example and example.startswith("# "))
    (folder / "a.md").write_text(example if whole else lesson_text(example))
    said = lesson("validate", "a.md", "--json", plugins=[ct4])
    return [item["rule"] for item in said.json["findings"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples(rule: Rule, lesson: Lesson, tmp_path: Path) -> None:
    page = PAGE.search(table.page_of(rule))
    assert page is not None
    assert rule.id in found(lesson, tmp_path, page["wrong"])
    assert found(lesson, tmp_path, page["right"]) == []


FRONT = re.compile(
    r"\nWrong:\n\n```yaml\n(?P<wrong>.*?)\n```\n\nRight:\n\n```yaml\n(?P<right>.*?)\n```$", re.DOTALL
)
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"


@pytest.mark.parametrize(
    "rule",
    [rule for rule in status.RULES if rule.id != "duplicate-lesson"],  # that takes two files
    ids=lambda rule: rule.id,
)
def test_examples_of_frontmatter(lesson: Lesson, tmp_path: Path, rule: Rule) -> None:
    match = FRONT.search(table.page_of(rule))
    assert match is not None
    for example, expected in ((match["wrong"], [rule.id]), (match["right"], [])):
        front = {"supportedHardware": ["n150"], **load(example, Origin(tmp_path, 1)).data}
        (tmp_path / "a.md").write_text(lesson_text(STEP, **front))
        asked = ["--certs", tmp_path] if rule.id == "validated-without-certificate" else []
        said = lesson("validate", "a.md", "--json", *asked)
        assert [item["rule"] for item in said.json["findings"]] == expected


@pytest.mark.parametrize("rule", SIDECARS, ids=lambda rule: rule.id)
def test_examples_of_sidecars(lesson: Lesson, tmp_path: Path, rule: Rule) -> None:
    match = FRONT.search(table.page_of(rule))
    assert match is not None
    (tmp_path / "say.md").write_text(lesson_text("# Say it\n\n```bash\necho one\n```"))
    for example, expected in ((match["wrong"], [rule.id]), (match["right"], [])):
        (tmp_path / "say.steps.yaml").write_text(example)
        said = lesson("validate", "say.md", "--json")
        assert [item["rule"] for item in said.json["findings"]] == expected
