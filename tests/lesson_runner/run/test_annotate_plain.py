"""``lesson annotate`` for plain tutorials: in the document and in a sidecar, without any plugin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.sidecar import sidecar_path
from lesson_runner.model import Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.annotate import annotate
from lesson_runner.run.resolve_blocks import known_profiles
from lesson_runner.run.sidecar_text import make_sidecar
from lesson_runner.testing import plan_lesson

Lesson = Callable[..., Any]
TUTORIAL = """# A small shop

Save this as `prices.txt`:

```text
bread 3
```

- ```bash
  grep bread prices.txt
  ```

Look at it:

```console
$ cat prices.txt
bread 3
```

Start the shop:

```bash
python3 -m http.server 8765
```

Log in:

```bash
export SHOP_TOKEN=<your-token>
```

## System

```bash
sudo apt install -y sl
```

## Troubleshooting

```bash
rm prices.txt
```
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "Small Shop.md").write_text(TUTORIAL)
    return tmp_path / "Small Shop.md"


def essence(plan: Plan) -> list[tuple[object, ...]]:
    """Return what counts in a plan's steps."""
    kept = (step for step in plan.steps if not step.skip or step.role == "placeholder")
    return [
        (step.id, step.action, step.role, step.params, step.needs, step.expect, step.skip, step.cleanup)
        for step in kept
    ]


def test_every_role_becomes_a_directive(lesson: Lesson, shop: Path) -> None:
    before = lesson("plan", shop.name, "--json").json
    refused = lesson("annotate", shop.name, "--write")
    assert (refused.code, "--sidecar" in refused.err, shop.read_text()) == (2, True, TUTORIAL)
    written = lesson("annotate", shop.name, "--sidecar", "--write")
    assert written.code == 0, written
    assert shop.read_text() == TUTORIAL
    after = lesson("plan", shop.name, "--json").json
    assert after["lesson"]["id"] == before["lesson"]["id"]
    keys = ("id", "title", "action", "params")
    assert [[step[key] for key in keys] for step in after["steps"]] == [
        [step[key] for key in keys] for step in before["steps"]
    ]
    text = sidecar_path(shop).read_text()
    for key in (
        "file: prices.txt",
        "service: {}",
        "- <your-token>",
        "system: true",
        "output: ignore",
        "skip:",
    ):
        assert key in text
    assert lesson("annotate", shop.name, "--sidecar").out.endswith("is up to date: nothing to do\n")
    assert lesson("annotate", shop.name).out.endswith("already has directives: nothing to do\n")
    assert not [
        item for item in lesson("validate", ".", "--json").json["findings"] if item["severity"] == "error"
    ]


def test_frontmatter_is_added(lesson: Lesson, tmp_path: Path) -> None:
    for name, front in (
        ("a.md", ""),
        ("b.md", "---\nlayout: page\ntitle: Other\n---\n\n"),
        ("c.md", "\ufeff"),
    ):
        path = tmp_path / name
        path.write_bytes(f"{front}# Say it\n\n```bash\necho one\n```\n".replace("\n", "\r\n").encode())
        assert lesson("annotate", name, "--write").code == 0
        found, problems = load_lesson(path)
        assert [item.rule for item in problems if item.severity == "error"] == []
        assert [step.id for step in found.steps] == ["say-it"]
        assert found.title == ("Other" if "Other" in front else "Say it")
        assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")


def test_placeholders_are_filled_in(lesson: Lesson, shop: Path) -> None:
    assert lesson("annotate", shop.name, "--sidecar", "--write").code == 0
    options = ("--param", "your_token=abc", "--json")
    steps = {step["id"]: step for step in lesson("plan", shop.name, *options).json["steps"]}
    assert "export SHOP_TOKEN=abc" in str([step["params"] for step in steps.values()])
    sidecar = sidecar_path(shop)
    sidecar.write_text(sidecar.read_text().replace("- <your-token>", "- <other>"))
    [wrong] = [
        item
        for item in lesson("validate", shop.name, "--json").json["findings"]
        if item["rule"] == "wrong-value"
    ]
    assert "<other>" in wrong["message"]


def test_a_sidecar_accepts_changes(lesson: Lesson, shop: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "notes"
    overlay.mkdir()
    command = ("annotate", shop.name, "--sidecar", "--overlay", "notes")
    assert lesson(*command, "--write").code == 0
    assert not sidecar_path(shop).exists()
    shop.write_text(
        TUTORIAL.replace("bread 3\n```\n\n- ", "bread 4\n```\n\n- ").replace("## System", "## Machine")
    )
    assert lesson("plan", shop.name, "--overlay", "notes").code == 2
    shown = lesson(*command)
    assert (shown.code, "+      bread 4" in shown.out, "+      - Machine" in shown.out) == (0, True, True)
    assert lesson(*command, "--write").code == 0
    assert lesson("plan", shop.name, "--overlay", "notes").code == 0
    assert "up to date" in lesson(*command).out
    assert lesson("annotate", shop.name, "--overlay", "notes").code == 2


def fence(language: str, *rows: str) -> str:
    return "\n".join([f"```{language}", *rows, "```"])


PARTS = st.sampled_from(
    [
        *("## Setup", "# Usage", "### 1. Next", "prose", "Save it as `a.txt`:", "Output:", "Or with Docker:"),
        *(fence("bash", "echo one"), fence("sh", "cd /tmp", "ls"), fence("", "$ ls", "a.txt")),
        *(fence("text", "hello"), fence("python", "print(1)"), fence("pycon", ">>> 1 + 1", "2")),
        *(fence("bash", "curl <url>"), fence("bash", "sudo reboot"), fence("zsh", "ls"), fence("", "hello")),
        *(fence("bash", "vim a.txt"), fence("bash", "python3 -m http.server"), fence("bash", "export A=1")),
        *(fence("bash", 'echo "a --> b"'), "- ```bash\n  echo two\n  ```", "> ```bash\n> ls\n> ```"),
        "1. Do\n\n   ```bash\n   ls\n   ```",
    ]
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(parts=st.lists(PARTS, min_size=1, max_size=8), end=st.sampled_from(["\n", "\r\n"]))
@example(parts=["```bash\ncurl <url>\n```", "Or with Docker:"], end="\n")
def test_any_annotated_tutorial_has_the_same_plan(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], end: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.md"
    path.write_bytes("\n\n".join(["# T", *parts, "```bash\necho three\n```\n"]).replace("\n", end).encode())
    plugins = Plugins(points=())
    loaded, _ = load_lesson(path)
    before = essence(plan_lesson(path, path.parent, plugins=plugins))
    if not before:
        return
    made = make_sidecar(loaded, plugins, known_profiles(loaded, plugins))
    sidecar_path(path).write_text(made.after)
    assert essence(plan_lesson(path, path.parent, plugins=plugins)) == before
    sidecar_path(path).unlink()
    try:
        inside = annotate(loaded, plugins, known_profiles(loaded, plugins))
    except LessonError as error:
        assert "--sidecar" in str(error.fix)  # noqa: PT017
        return
    path.write_bytes(inside.after.encode())
    assert essence(plan_lesson(path, path.parent, plugins=plugins)) == before


@pytest.mark.slow
def test_ways_become_a_choice(lesson: Callable[..., Any], tmp_path: Path) -> None:
    ways = "## Get it\n\n### Option A\n\n```bash\necho a\n```\n\n### Option B\n\n```bash\necho b\n```\n"
    (tmp_path / "a.md").write_text(ways)
    choices = [
        f"{item['group']}={item['option']}" for item in lesson("plan", "a.md", "--json").json["blocks"]
    ]

    assert lesson("annotate", "a.md", "--write").code == 0
    ran = [lesson("run", "a.md", "--json", "--allow", "shell", "--choose", choice).json for choice in choices]

    assert [[step["status"] for step in record["steps"]] for record in ran] == [
        ["passed", "skipped"],
        ["skipped", "passed"],
    ]
