"""Text that was allowed to run stays the text that runs: no other step gets in under the same digest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.lessons import load_lesson
from lesson_runner.run.permissions import PermissionStore
from lesson_runner.testing import lesson_text

GOOD = lesson_text("<!-- step\nid: one\nexpect: [{contains: good}]\n-->\n```bash\necho good\n```")
EVIL = ("a", "{marker}", "", "<!-- step", "id: evil", "-->", "```bash", "echo evil > evil.txt", "```", "")


@pytest.mark.parametrize("marker", ["---", " ---", "----", "...", " ...", "\u2028---"])
@pytest.mark.parametrize("indent", ["", "  "])
@pytest.mark.parametrize(
    "opening", ["validationNotes: |", "validationNotes: >-", 'validationNotes: "', "# note"]
)
def test_a_step_in_a_key_that_the_digest_leaves_out(
    lesson: Callable[..., Any], tmp_path: Path, marker: str, indent: str, opening: str
) -> None:
    path = tmp_path / "a.md"
    path.write_text(GOOD, "utf-8")
    PermissionStore.read().remember(load_lesson(path)[0], frozenset({"shell"}))
    assert lesson("run", path).code == 0
    head, body = GOOD.split("\n---\n", 1)
    rows = [f"{indent}{row}".format(marker=marker) for row in EVIL] + ['"' if opening.endswith('"') else ""]
    path.write_text("\n".join([head, opening, *rows, "---", body]), "utf-8")
    said = lesson("run", path)
    assert said.code == 2, said
    assert lesson("validate", path).code == 1
    assert list(tmp_path.rglob("evil.txt")) == []
