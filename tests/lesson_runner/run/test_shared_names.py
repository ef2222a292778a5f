"""Python blocks of a lesson without directives share their names if a reader types them into one Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.model import Block, Location
from lesson_runner.run.shared_names import share_names
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]


def shared(*texts: str) -> bool:
    return share_names(Block("python", text, Location(Path("a.md"), 1), ()) for text in texts)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("import math", "print(math.pi)"), True),
        (("def f():\n    pass", "x = 1", "f()"), True),
        ((">>> 1 + 1\n2",), True),
        (("import math\nprint(math.pi)", "import math\nprint(math.e)"), False),
        (("x = 1", "print(y)"), False),
        (("x = 1", "x = 2\nprint(x)"), False),
        (("x = 1", "this is no Python"), False),
        (("print(1)", "print(2)"), False),
    ],
)
def test_whether_blocks_share_names(texts: tuple[str, ...], expected: bool) -> None:
    assert shared(*texts) is expected


@settings(max_examples=30)
@given(st.lists(st.text("xy=(:\n> #'", max_size=12), max_size=3))
def test_any_text_has_an_answer(texts: list[str]) -> None:
    assert shared(*texts) in (True, False)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (">>> words = ['fig']\n>>> len(words)\n1", ">>> words\n['fig']"),
        ("import math\n\nprint(math.pi > 3)", "print(math.e < 3)"),
    ],
)
def test_a_later_block_sees_names_of_an_earlier_one(
    lesson: Command, tmp_path: Path, first: str, second: str
) -> None:
    body = f"## Step 1: begin\n\n```python\n{first}\n```\n\n## Step 2: go on\n\n```python\n{second}\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(body))

    said = lesson("run", "a.md", "--allow", "shell", "--json")

    assert said.code == 0, said
    assert [step["status"] for step in said.json["steps"]] == ["passed"] * 2
