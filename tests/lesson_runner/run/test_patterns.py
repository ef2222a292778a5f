"""Patterns that Python cannot handle are errors of the lesson, and do not end the program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
PATTERNS = [
    "a{99999999999}",
    "(" * 3_000 + ")" * 3_000,
    "(a|" * 900 + "b" + ")" * 900,
    "(?a)(?u)x",
    "[",
    "\\",
]
KEYS = {
    "regex": "expect: [{{regex: {0}}}]",
    "json": "expect: [{{json: {{type: string, pattern: {0}}}}}]",
    "deep in json": "expect: [{{json: {{anyOf: [{{properties: {{a: {{pattern: {0}}}}}}}]}}}}]",
    "capture": "capture: {{x: {0}}}\nexpect: [{{contains: a}}]",
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern[:14])
def test_a_pattern_that_cannot_be_compiled(lesson: Lesson, tmp_path: Path, key: str, pattern: str) -> None:
    said = KEYS[key].format(json.dumps(pattern))
    (tmp_path / "a.md").write_text(lesson_text(f"<!-- step\nid: one\n{said}\n-->\n```bash\necho a\n```\n"))
    found = lesson("validate", "a.md", "--json")
    assert found.code == 1, found
    assert ("wrong-value", True) in [
        (item["rule"], "regex" in item["message"]) for item in found.json["findings"]
    ]
    assert lesson("run", "a.md", "--allow", "shell").code == 2
