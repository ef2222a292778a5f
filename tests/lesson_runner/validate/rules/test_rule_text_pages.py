"""The examples on the pages of rules about links, text and structure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model import Rule
from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules import command_links, encoding, fences, headings, links
from lesson_runner.validate.rules.table import page_of

Lesson = Callable[..., Any]
PAGE = re.compile(
    r"\nWrong:\n\n(?P<a>`{3,})markdown\n(?P<wrong>.*?)\n(?P=a)\n\n"
    r"Right:\n\n(?P<b>`{3,})markdown\n(?P<right>.*?)\n(?P=b)$",
    re.DOTALL,
)
MODULES = (command_links, encoding, fences, headings, links)
# Thousands of brackets are not on the page.
RULES = [rule for module in MODULES for rule in module.RULES if rule.id != "too-many-brackets"]
OWN = {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples(rule: Rule, lesson: Lesson, tmp_path: Path) -> None:
    page = PAGE.search(page_of(rule))
    assert page is not None
    for name in ("setup-guide.md", "build-tt-metal.md", "pictures/board.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(example: str) -> list[str]:
        (tmp_path / "a.md").write_text(lesson_text("x").replace("x\n", "") + "\n" + example + "\n", "utf-8")
        return [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]]

    assert rule.id in found(page["wrong"])
    assert not OWN & set(found(page["right"]))
