"""Headings and fences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```\n\n"
FIRST = lesson_text(STEP).count("\n") + 1
"""The line on which the text of a test begins."""
RULES = {"heading-order", "unclosed-fence", "nested-fence"}


def found(lesson: Lesson, text: str) -> list[str]:
    Path("a.md").write_text(lesson_text(STEP) + text, "utf-8")
    findings = lesson("validate", "a.md", "--json").json["findings"]
    return [f"{f['line'] - FIRST + 1}:{f['column']} {f['rule']}" for f in findings if f["rule"] in RULES]


@pytest.mark.parametrize(
    "text",
    [
        "# A\n\n## B\n\n### C\n\n## D\n\n### E\n\n#### F\n\n## G\n",
        "### A\n\n## B\n\n# C\n",
        "## A\n\n## B\n",
        "A\n===\n\nB\n---\n",
        "# A\n\n> #### B\n\n- # C\n\n1. #### D\n\n## E\n",
        "# A\n\n```text\n# B\n#### C\n```\n",
    ],
)
def test_headings_in_order(lesson: Lesson, text: str) -> None:
    assert found(lesson, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A\n\n#### B\n", ["3:1 heading-order"]),
        ("A\n===\n\n### B\n\n## C\n\n##### D\n", ["4:1 heading-order", "8:1 heading-order"]),
        ("# A\n\n# B\n\n# C\n", ["3:1 heading-order"]),
    ],
)
def test_headings_out_of_order(lesson: Lesson, text: str, expected: list[str]) -> None:
    assert found(lesson, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "```text\na\n```\n",
        "```text\na\n```",
        "```text\na\n`````\n",
        "~~~text\na\n~~~\n",
        "```\n```\n",
        "- ```text\n  a\n  ```\n",
        "> > ```text\n> > a\n> > ```\n",
        "1. a\n\n   ```text\n   a\n   ```\n\n   b\n",
        "````markdown\n```bash\na\n```\n````\n",
        "~~~markdown\n```bash\na\n```\n~~~\n",
        "````markdown\n```markdown\n~~~bash\n~~~\n```\n````\n",
        "```text\n    ```bash\n```\n",
        "```text\na ```bash\n```\n",
        "```text\n~~~bash\n~~~\n```\n",
    ],
)
def test_fences_that_close(lesson: Lesson, text: str) -> None:
    assert found(lesson, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```text\na\n", ["1:1 unclosed-fence"]),
        ("```text\na\n~~~\n", ["1:1 unclosed-fence"]),
        ("````text\na\n```\n", ["1:1 unclosed-fence"]),
        ("- ```text\n  a\n\nb\n", ["1:3 unclosed-fence"]),
        ("> 1. ~~~text\n>    a\n\nb\n", ["1:6 unclosed-fence"]),
        ("```markdown\n```bash\na\n```\nb\n\n```text\n```\n", ["2:1 nested-fence"]),
        ("```markdown\na\n  ```bash\na\n```\n", ["3:3 nested-fence"]),
        ("> ~~~markdown\n> ~~~ bash\n> a\n> ~~~\n", ["2:3 nested-fence"]),
        (
            "```markdown\n```bash\na\n```\n```\n\n```bash\nb\n```\n",
            ["2:1 nested-fence"],
        ),
        (">" * 20 + "```text\n" + ">" * 20 + "a\n", ["1:21 nested-fence"]),
        (
            "".join("  " * n + "- a\n\n" for n in range(11)) + "  " * 11 + "```text\n" + "  " * 11 + "b\n",
            ["23:23 nested-fence"],
        ),
    ],
)
def test_fences_that_do_not_close(lesson: Lesson, text: str, expected: list[str]) -> None:
    assert found(lesson, text) == expected


def test_deep_text_in_a_block_is_not_reported(lesson: Lesson) -> None:
    assert found(lesson, "````text\n" + ">" * 30 + "```text\n````\n") == []


def test_links_are_not_searched_for_among_thousands_of_brackets(lesson: Lesson) -> None:
    Path("a.md").write_text(lesson_text(STEP) + "[" * 100_000 + "](missing.md)")
    findings = lesson("validate", "a.md", "--json").json["findings"]
    assert [item["rule"] for item in findings] == ["too-many-brackets"]
