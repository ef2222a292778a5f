"""``lesson annotate``: directives express the recognised steps, and nothing else changes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lesson_runner.run.test_recognise import BUY, SHOP, SHOPPING, shops

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.run.annotate import annotate
from lesson_runner.run.resolve_blocks import known_profiles
from lesson_runner.testing import lesson_text, plan_lesson

Lesson = Callable[..., Any]

MARKET = """
# Fine-tuning a market

## Prerequisites

Look first: `look x`.

```bash
look x
```

### 1. Look

**Why:** one has to know.

```bash
look a
look b
```

Here too:
```bash
look c
```

## Step 1: Go --> there

A paragraph
[Install it](command:shop.install) with a button.

### Step 2: 'Buy'

**Buy: "bread" --> now**
```bash
buy bread
```

1. In a list

   ~~~bash
   buy rolls
   ~~~

> ```bash
> # Two
> buy cake
> # Three
> buy tea
> ```

## Step 3 [button](command:shop.heading)

| where | what |
|---|---|
| here | [button](command:shop.table) |

```bash
pay
```

## Troubleshooting

```bash
buy a doctor
```
"""


def plans(path: Path) -> list[Plan]:
    return [plan_lesson(path, path.parent, plugins=shops(), profile=name) for name in ("quick", "full")]


def written(lesson: Lesson, path: Path, text: bytes) -> bytes:
    """Return what a lesson's file holds after ``lesson annotate --write``."""
    path.write_bytes(text)
    said = lesson("annotate", path.name, "--write", points=[SHOP])
    assert said.code == 0, said
    return path.read_bytes()


def without_comments(text: bytes) -> bytes:
    return re.sub(rb"(?m)^[ >]*<!--.*?-->(?:\r\n|\n|\r)", b"", text, flags=re.DOTALL)


# --- what is written ---


def test_the_plan_stays_the_same(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(MARKET))
    before = plans(path)

    after = written(lesson, path, path.read_bytes()).decode()

    again = plans(path)
    assert [plan.digest for plan in again] == [plan.digest for plan in before]
    assert [step.id for step in again[0].steps] == [step.id for step in before[0].steps]
    assert [step.title for step in again[0].steps] == [step.title for step in before[0].steps]
    assert not again[0].recognised
    assert without_comments(after.encode()) == lesson_text(MARKET).encode()


def test_all_blocks_that_readers_type_in_get_a_comment(lesson: Lesson, tmp_path: Path) -> None:
    rest = "```pycon\n>>> 1\n```\n\n```\n$ pay\n```\n\n```zsh\npay\n```\n\n```\nonly output\n```\n"
    text = written(lesson, tmp_path / "a.md", lesson_text(f"{MARKET}\n{rest}").encode()).decode()
    for block in ("```pycon", "```\n$ pay", "```zsh"):
        before = text.partition(f"{block}\n")[0] if "\n" not in block else text.partition(block)[0]
        assert before.endswith("-->\n")
    assert not text.partition("```\nonly output")[0].endswith("-->\n")


def test_content_of_directives(lesson: Lesson, tmp_path: Path) -> None:
    text = written(lesson, tmp_path / "a.md", lesson_text(MARKET).encode()).decode()

    for comment in (
        "<!-- step\nid: prerequisites\nuses: shop.look\nwith:\n  at: [x]\n-->\n```bash\nlook x",
        "<!-- step\nid: prerequisite-1\nuses: shop.look\nwith:\n  at: [a, b, c]\n-->\n```bash\nlook a",
        "Here too:\n<!-- skip\nreason: covered by step 'prerequisite-1'\n-->\n```bash\nlook c",
        "<!-- run\nid: step-1\n```command-link\nshop.install\n```\n-->\nA paragraph\n[Install",
        '<!-- step\nid: step-2\ntitle: "Buy: \\"bread\\" --\\x3E now"\nexpect:\n  - metric: {name: coins',
        "min: 0.5}\n  - contains: bought\n-->\n```bash\nbuy bread\n",
        "   <!-- step\n   id: step-2-2\n   expect:\n     - metric: {name: coins, min: 0.5}\n",
        "> <!-- step\n> id: step-2-3\n> expect:\n",
        "(command:shop.heading)\n<!-- run\nid: step-3\nwith:\n  at: [heading, table]\n```command-link\n",
        "<!-- step\nid: step-3-2\nrequires:\n  - command: pay\n-->\n```bash\npay",
        "-->\n```bash\nbuy a doctor",
    ):
        assert comment in text


@pytest.mark.parametrize(
    ("start", "end"), [(b"", b"\n"), (b"", b"\r\n"), (b"\xef\xbb\xbf", b"\r\n"), (b"\xef\xbb\xbf", b"\r")]
)
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_other_bytes_are_unchanged(
    lesson: Lesson, tmp_path: Path, start: bytes, end: bytes, last: bytes
) -> None:
    text = start + lesson_text(MARKET).strip().encode().replace(b"\n", end) + last.replace(b"\n", end)

    after = written(lesson, tmp_path / "a.md", text)

    assert without_comments(after.replace(end, b"\n")) == text.replace(end, b"\n")
    assert after.replace(end, b"").count(b"\n") + after.replace(end, b"").count(b"\r") == 0
    assert len(plans(tmp_path / "a.md")[0].steps) == 9


def test_a_link_to_the_file_and_its_permissions_stay(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "a.md"
    target.write_text(lesson_text(SHOPPING))
    target.chmod(0o640)
    (tmp_path / "a.md").symlink_to(target)

    assert lesson("annotate", "a.md", "--write", points=[SHOP]).out == "a.md: wrote directives for 2 steps\n"

    assert (tmp_path / "a.md").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert "id: step-2\n" in target.read_text()
    assert os.listdir(tmp_path / "real") == ["a.md"]  # noqa: PTH208  # no temporary file is left


# --- what is shown ---


def test_nothing_is_written_without_being_asked(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(SHOPPING))

    said = lesson("annotate", "a.md", points=[SHOP])

    assert said.code == 0
    assert path.read_text() == lesson_text(SHOPPING)
    assert "--- a.md\n+++ a.md (annotated)\n@@ " in said.out
    assert "+<!-- step\n+id: step-1\n+uses: shop.look\n+with:\n+  at: [bread]\n+-->\n ```bash\n" in said.out
    assert said.out.endswith("2 steps; nothing was written. To write: lesson annotate a.md --write\n")
    assert not [row for row in said.out.splitlines() if row.startswith("-") and not row.startswith("---")]


def test_annotating_twice_changes_nothing(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    once = written(lesson, path, lesson_text(SHOPPING).encode())

    for options in ([], ["--write"]):
        said = lesson("annotate", "a.md", *options, points=[SHOP])
        assert (said.code, said.out) == (0, "a.md already has directives: nothing to do\n")
    assert path.read_bytes() == once


# --- what is refused ---


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("prose", "the lesson has no steps"),
        (
            "## Step 1\n```bash\nlook a\nbuy a\n```\n",
            "a.md:12:1: one directive cannot hold different expectations for shop.look and shop.buy",
        ),
        (
            "## Step 1\n- ```bash\n  buy a\n  ```\n",
            "a.md:11: a directive cannot be put above this block",
        ),
        (
            "## Step 1\n- x\n\n  ```bash\n  buy b\n  ```\n\n  [x](command:shop.c)\n",
            "a.md: the annotated lesson would not do the same: the plans differ from step 'step-1' on",
        ),
    ],
)
def test_steps_that_cannot_be_annotated(lesson: Lesson, tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(body))

    said = lesson("annotate", "a.md", "--write", points=[SHOP])

    assert said.code == 2
    assert message in said.err
    assert path.read_text() == lesson_text(body)


def test_a_folder_that_cannot_be_written(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.md").write_text(lesson_text(SHOPPING))
    monkeypatch.setattr("tempfile.mkstemp", full)

    said = lesson("annotate", "a.md", "--write", points=[SHOP])

    assert (said.code, (tmp_path / "a.md").read_text()) == (2, lesson_text(SHOPPING))
    assert "No space left on device" in said.err


@pytest.mark.parametrize("moment", ["before it is read again", "before it is written"])
def test_a_file_that_changes_meanwhile_is_not_overwritten(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    from lesson_runner.run import annotate as module

    path = tmp_path / "a.md"
    path.write_text(lesson_text(SHOPPING))
    newer = lesson_text(f"{SHOPPING}\nAnd a remark.\n")

    def slow(*arguments: Any) -> Any:
        if moment == "before it is read again":
            path.write_text(newer)
        made = annotate(*arguments)
        path.write_text(newer)
        return made

    monkeypatch.setattr(module, "annotate", slow)

    said = lesson("annotate", "a.md", "--write", points=[SHOP])

    assert (said.code, path.read_text()) == (2, newer)
    assert "a.md" in said.err
    assert "changed" in said.err


# --- any lesson ---

PARTS = st.sampled_from(
    [
        "```bash\nlook a\n```",
        "```bash\nlook a\nlook b\n```",
        "```bash\nbuy a\n```",
        "**In bold:**\n```bash\n# one\nbuy a\n# two\nbuy b\n```",
        "```bash\nsteal\n```",
        "- ~~~~bash\n  buy a\n  ~~~~",
        "- x\n\n  ```bash\n  buy a\n  ```\n\n  - y\n\n    ```bash\n    look a\n    ```",
        "> ```bash\n> buy a\n> ```",
        "> - x\n>\n>   ```bash\n>   look a\n>   ```",
        "[x](command:shop.a) and [y](command:shop.b)",
        "- [x](command:shop.a)\n- [y](command:none.a)",
        "| [x](command:shop.a) |\n|---|\n| b |",
        "<!-- a comment -->",
        "<div>\n\n```bash\nbuy a\n```\n\n</div>",
        "```\nbuy a\n```",
        "prose",
        "   ```bash\n   buy a\n   ```",
        "\t```bash\n\tbuy a\n\t```",
    ]
)
HEADINGS = st.sampled_from(
    ["## Step 1", "### Step 2: [b](command:shop.c)", "## Tuning", "## Step 3 --> x", "Step 4\n======"]
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(parts=st.lists(PARTS | HEADINGS, min_size=1, max_size=9), end=st.sampled_from(["\n", "\r\n"]))
def test_any_annotated_lesson_has_the_same_plan(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], end: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.md"
    body = "\n\n".join(["## Step 1", BUY, *parts])
    path.write_bytes(lesson_text(body).replace("\n", end).encode())
    loaded, _ = load_lesson(path)
    plugins = shops()
    before = plan_lesson(path, path.parent, plugins=plugins, profile="quick")
    try:
        made = annotate(loaded, plugins, known_profiles(loaded, plugins))
    except LessonError as error:
        assert error.fix  # noqa: PT017  # a refused step comes with a fix
        return
    path.write_bytes(made.after.encode())
    after = plan_lesson(path, path.parent, plugins=plugins, profile="quick")

    assert (after.digest, [step.id for step in after.steps]) == (
        before.digest,
        [step.id for step in before.steps],
    )
