"""The largest documents that are still read: a byte more, and the samples' tests find too much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.markdown.yamltext import MAX_BYTES
from lesson_runner.schema.lessons import MAX_LESSON_BYTES
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: hello}]\n-->\n```bash\necho hello\n```\n"


@pytest.mark.parametrize(("more", "rules"), [(0, []), (1, ["too-large"])])
def test_a_lesson(lesson: Lesson, tmp_path: Path, more: int, rules: list[str]) -> None:
    text = lesson_text(STEP)
    size = MAX_LESSON_BYTES - len(text.encode()) + more
    path = tmp_path / "a.md"
    path.write_text(text + ("word " * 20 + "\n") * (size // 101) + "\n" * (size % 101))
    assert path.stat().st_size == MAX_LESSON_BYTES + more
    found = lesson("validate", "a.md", "--json").json["findings"]
    assert [item["rule"] for item in found if item["severity"] == "error"] == rules


@pytest.mark.parametrize(("more", "rules"), [(0, []), (1, ["yaml-too-large"])])
def test_yaml(lesson: Lesson, tmp_path: Path, more: int, rules: list[str]) -> None:
    text = lesson_text(STEP, note="")
    yaml = text.split("---\n")[1].rstrip("\n")
    note = "x" * (MAX_BYTES - len(yaml.encode()) + more)
    (tmp_path / "a.md").write_text(text.replace('note: ""', f'note: "{note}"'))
    assert [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]] == rules
