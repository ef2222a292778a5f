"""The examples on the pages of rules about code: the wrong one breaks the rule, the right one breaks none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model import Rule
from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules import (
    continuations,
    downloads,
    home_folders,
    markup,
    pipes,
    python_blocks,
    python_names,
    shell_blocks,
    tildes,
    tokens,
    typography,
    unnoticed,
)
from lesson_runner.validate.rules.table import page_of

PAGE = re.compile(
    r"\nWrong:\n\n````markdown\n(?P<wrong>.*?)\n````\n\nRight:\n\n````markdown\n(?P<right>.*?)\n````$",
    re.DOTALL,
)
MODULES = (
    *(continuations, downloads, home_folders, markup, pipes, python_blocks, python_names, shell_blocks),
    *(tildes, tokens, typography, unnoticed),
)
RULES = [rule for module in MODULES for rule in module.RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_examples(rule: Rule, lesson: Callable[..., Any], tmp_path: Path) -> None:
    page = PAGE.search(page_of(rule))
    assert page is not None

    def said(example: str) -> list[str]:
        (tmp_path / "a.md").write_text(lesson_text(example))
        return [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]]

    assert said(page["wrong"]) == [rule.id]
    assert said(page["right"]) == []
