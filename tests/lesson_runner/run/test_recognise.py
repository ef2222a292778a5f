"""Lessons without directives: which blocks are steps, their names, and the reasons for all others."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lesson_runner import shop

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model import Hardware, Plan
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson, run_lesson

Lesson = Callable[..., Any]
BUY = "```bash\nbuy bread\n```\n"


SHOP = ModuleEntryPoint(shop, "shop")


def shops() -> Plugins:
    return Plugins(points=[SHOP])


def plan(folder: Path, body: str, *params: str, **more: Any) -> Plan:
    return plan_lesson(lesson_text(body), folder, plugins=shops(), params=params, **more)


def left(found: Plan) -> list[tuple[int, str]]:
    """Return the blocks that are not steps: line in the body, and reason."""
    return [(item.block.location.line - 9, item.reason) for item in found.not_run]


def ids(found: Plan) -> list[str]:
    return [step.id for step in found.steps]


# --- which blocks ---


@pytest.mark.parametrize(
    "headings",
    [
        ["## Step 1: Shop"],
        ["## **Step 1** — shop"],
        ["## \U0001f6d2 step 1"],
        ["## Step 1: Shop", "### Details", "#### More"],
        ["# Fine-tuning Basics", "## Step 1: Fine-tuning the model"],
        ["# Troubleshooting a shop", "## Step 1: Shop"],
        ["## Prerequisites and Environment Setup", "### Critical Setup Steps", "#### 1. Shop"],
        ["## Before you begin", "### 2) Shop"],
        ["## Installation", "### 1.2. Shop"],
    ],
)
def test_under_the_heading_of_a_step(tmp_path: Path, headings: list[str]) -> None:
    found = plan(tmp_path, "\n\n".join([*headings, BUY]))

    assert [(step.action, step.claimed_by, step.params["what"]) for step in found.steps] == [
        ("shop.buy", "shop", "bread")
    ]
    assert found.recognised
    assert found.not_run == ()


@pytest.mark.parametrize("headings", [[], ["## Shopping"], ["## 1. Shop"], ["## Prerequisites", "### Shop"]])
def test_under_any_other_heading(tmp_path: Path, headings: list[str]) -> None:
    assert [step.claimed_by for step in plan(tmp_path, "\n\n".join([*headings, BUY])).steps] == ["shop"]


@pytest.mark.parametrize(
    "title",
    [
        "Troubleshooting Common Issues",
        "Performance Tuning",
        "Next Steps After Training",
        "What's Next?",
        "What\u2019s next",
        "Additional Resources",
        "Appendix: Lesson Validation",
        "FAQ",
    ],
)
def test_headings_without_steps(tmp_path: Path, title: str) -> None:
    found = plan(tmp_path, f"## Step 7\n\n{BUY}\n## {title}\n\n```bash\nsteal bread\n```\n")

    assert ids(found) == ["step-7"]
    assert [item.role for item in found.blocks][1:] in (["reference"], ["illustration"])
    assert [item.reason.partition(":")[0] for item in found.not_run] == [found.blocks[1].role]


def test_what_no_plugin_knows_runs_in_the_terminal(tmp_path: Path) -> None:
    found = plan(tmp_path, f"## Step 1\n```bash\nmake bread\n```\n```text\nbuy\n```\n{BUY}")

    assert [(step.id, step.action, step.claimed_by) for step in found.steps] == [
        ("step-1", "shell", ""),
        ("step-1-2", "shop.buy", "shop"),
    ]


def test_a_plugin_may_have_its_own_languages(tmp_path: Path) -> None:
    assert ids(plan(tmp_path, "## Step 1\n```shop\nbuy bread\n```\n")) == ["step-1"]


def test_a_block_that_nothing_else_judges_runs_in_the_terminal(tmp_path: Path) -> None:
    found = plan(tmp_path, f"## Step 1\n```bash\nguess\n```\n{BUY}")

    assert [step.action for step in found.steps] == ["shell", "shop.buy"]


def test_links_to_commands(tmp_path: Path) -> None:
    text = (
        "## Step 1: Install\n[Install](command:shop.install)\n\n[Web](https://x.org)\n\n"
        "## Step 2: More\n- [Other](command:other.install)\n\n"
        "## Troubleshooting\n[Install](command:shop.install)\n"
    )
    found = plan(tmp_path, text)

    assert [(step.id, step.title, step.params["at"], step.location.line) for step in found.steps] == [
        ("step-1", "Step 1: Install", ["install"], 11)
    ]
    assert [line for line, _ in left(found)] == [7, 10]


def test_one_directive_disables_recognition(tmp_path: Path) -> None:
    step = "<!-- step\nid: mine\nexpect: [{contains: bought}]\n-->\n"
    found = plan(tmp_path, f"## Step 1\n{BUY}\n## Step 2\n{step}{BUY}")

    assert ids(found) == ["mine"]
    assert not found.recognised
    assert left(found) == [(3, "")]
    assert [(item.rule == "directive", item.step) for item in found.blocks] == [(False, None), (True, "mine")]


def test_a_lesson_in_which_nothing_is_recognised(tmp_path: Path) -> None:
    found = plan(tmp_path, "## Step 1\n\n```text\nbuy bread\n```\n")

    assert found.steps == ()
    assert [item.rule for item in found.diagnostics] == ["no-steps"]


# --- names of steps ---


def test_ids_and_titles(tmp_path: Path) -> None:
    body = f"""
## Prerequisites

### 2. Money

**Earn it:**
{BUY}
## Step 3: Bread

**Buy it:**

{BUY}
Then:

{BUY}
### Experiment 1: Taste

**With two lines:**

```bash
# The first loaf
buy bread
buy cake  # no title
buy rolls
```

### Comparing Your 4 Loaves With Everybody Else's
{BUY}
## Step 3: Übung
{BUY}
### Übung!
{BUY}
### ☕
{BUY}
"""
    assert [(step.id, step.title) for step in plan(tmp_path, body).steps] == [
        ("prerequisite-2", "2. Money"),
        ("step-3", "Buy it"),
        ("step-3-2", "Step 3: Bread"),
        ("experiment-1.1", "The first loaf"),
        ("experiment-1.2", "Experiment 1: Taste"),
        ("experiment-1.3", "Experiment 1: Taste"),
        ("comparing-your-4-loaves-with", "Comparing Your 4 Loaves With Everybody Else's"),
        ("step-3-3", "Step 3: Übung"),
        ("ubung", "Übung!"),
        ("part", "☕"),
    ]


PATTERN = re.compile(load_schema("step")["properties"]["id"]["pattern"])
TITLES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(titles=st.lists(TITLES, min_size=1, max_size=6))
def test_any_heading_gives_ids_that_a_directive_could_have(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str]
) -> None:
    body = "".join(f"\n### {title}\n\n{BUY}" for title in titles)
    found = plan(tmp_path_factory.mktemp("any"), f"## Step 1\n\n{BUY}{body}")

    assert all(PATTERN.fullmatch(name) for name in ids(found))
    assert len(set(ids(found))) == len(found.steps) == len(titles) + 1 - len(found.not_run)


# --- one step of several calls ---


def test_calls_of_one_section_that_are_one_step(tmp_path: Path) -> None:
    look = "```bash\nlook a\nlook b\n```\n"
    link = "[x](command:shop.c)\n\n"
    found = plan(tmp_path, f"## Step 1\n{look}\n{link}```bash\nlook d\n```\n## Step 2\n{look}{BUY}{look}")

    assert [(step.id, step.params.get("at")) for step in found.steps] == [
        ("step-1", ["a", "b", "c", "d"]),
        ("step-2", ["a", "b"]),
        ("step-2-2", None),
        ("step-2-3", ["a", "b"]),
    ]
    assert found.not_run == ()


def test_calls_that_differ_in_more_than_lists_are_two_steps(tmp_path: Path) -> None:
    found = plan(
        tmp_path, "## Step 1\n```bash\nlook a\nstare b\n```\n## Step 2\n```bash\nstare c\nstare d\n```\n"
    )

    assert [(step.id, dict(step.params)) for step in found.steps] == [
        ("step-1.1", {"at": ["a"]}),
        ("step-1.2", {"at": ["b"], "slowly": True}),
        ("step-2", {"at": ["c", "d"], "slowly": True}),
    ]


def test_problems_of_absorbed_blocks_are_reported(tmp_path: Path) -> None:
    look = "```bash\nlook {}\n```\n"
    found = plan(tmp_path, f"## Step 1\n{look.format('nothing')}{look.format('nothing')}")

    assert sorted((item.rule, item.location.line) for item in found.diagnostics) == [
        ("shop.nothing", 12),
        ("shop.nothing", 15),
    ]


def test_commands_of_different_actions_are_judged_each_in_its_own_way(tmp_path: Path) -> None:
    body = "## Step 1\n```bash\nbuy a\nlook b\n```\n"
    found = plan(tmp_path, body, "step-1.coins=3", "step-1.at=[7]")

    assert [(step.id, dict(step.params), len(step.expect)) for step in found.steps] == [
        ("step-1.1", {"coins": 3, "what": "a"}, 2),
        ("step-1.2", {"at": [7]}, 0),
    ]


# --- planned and run ---

SHOPPING = """
## Step 1: Look
```bash
look bread
```
## Step 2: Buy
```bash
# The bread
buy bread
# The cake
buy cake
```
## Next steps
```bash
buy the shop
```
"""


def test_recognised_steps_have_the_expectations_of_their_actions(tmp_path: Path) -> None:
    record = run_lesson(lesson_text(SHOPPING), tmp_path, plugins=shops())

    assert [(step["id"], step["status"], step["needs"]) for step in record["steps"]] == [
        ("step-1", "passed", []),
        ("step-2.1", "passed", ["step-1"]),
        ("step-2.2", "passed", []),
    ]
    assert [verdict["matcher"] for verdict in record["steps"][1]["verdicts"]] == ["metric", "contains"]
    assert record["lesson"]["recognised"] is True
    assert {step["claimed_by"] for step in record["steps"]} == {"shop"}
    assert list(validator_for(load_schema("record")).iter_errors(record)) == []


def test_an_expectation_of_an_action_that_is_not_met(tmp_path: Path) -> None:
    record = run_lesson(lesson_text(SHOPPING), tmp_path, plugins=shops(), params=["step-2.coins=0"])

    assert [step["status"] for step in record["steps"]] == ["passed", "failed", "failed"]
    assert record["status"] == "failed"


def test_the_profile_that_fits_the_machine(tmp_path: Path) -> None:
    board = [Hardware("n150", "a test", devices=1)]

    assert plan(tmp_path, SHOPPING).profile == "quick"
    assert plan(tmp_path, SHOPPING, hardware=board).profile == "full"
    assert plan(tmp_path, SHOPPING, hardware=board, backend="emulated").profile == "quick"
    assert plan(tmp_path, SHOPPING, profile="default").profile == "default"


def test_the_output_says_that_steps_were_recognised(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(SHOPPING))

    said = lesson("run", "a.md", points=[SHOP])

    assert said.code == 0
    lines = said.out.split("\n")
    assert lines[:4] == [
        "Sample",
        "Profile quick",
        "quick changes shop.buy: coins 9 -> 1",
        "The lesson has no directives; these steps were recognised in its blocks: 3 by plugin shop",
    ]
    assert "Not covered: the block at line 23; 'lesson plan' says why" in lines
    assert "profile quick sets" not in said.out


def test_plan_lists_everything(lesson: Lesson, tmp_path: Path) -> None:
    body = SHOPPING + "\n[Buy](command:shop.buy)\n"
    (tmp_path / "a.md").write_text(lesson_text(body))

    said = lesson("plan", "a.md", points=[SHOP])
    told = lesson("plan", "a.md", "--json", points=[SHOP]).json

    assert (
        "The lesson has no directives; these steps were recognised in its blocks: 3 by plugin shop"
        in said.out
    )
    assert "line 16, action shop.buy, recognised by plugin shop" in said.out
    assert "not covered: the bash block at line 23: " in said.out
    assert "not covered: the link shop.buy at line 26: " in said.out
    assert told["lesson"]["recognised"] is True
    assert [(step["id"], step["line"], step["claimed_by"]) for step in told["steps"]] == [
        ("step-1", 12, "shop"),
        ("step-2.1", 16, "shop"),
        ("step-2.2", 16, "shop"),
    ]
    assert [(item["line"], item["language"]) for item in told["not_run"]] == [
        (23, "bash"),
        (26, "command-link"),
    ]


def test_what_a_profile_changes_for_some_steps_only(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(SHOPPING))

    said = lesson("plan", "a.md", "--param", "step-1.at=[7]", points=[SHOP]).out
    given = lesson("plan", "a.md", "--param", "coins=9", points=[SHOP]).out

    assert said.count("quick changes shop.buy: coins 9 -> 1\n") == 1
    assert "quick changes" not in given


def test_a_part_of_a_recognised_lesson_can_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(SHOPPING))

    lesson("run", "a.md", points=[SHOP])
    record = lesson("run", "a.md", "--from", "step-2", "--json", points=[SHOP]).json

    assert [step["status"] for step in record["steps"]] == ["skipped", "passed", "passed"]


def test_a_wrong_parameter_of_the_user_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidLessonError) as raised:
        plan(tmp_path, f"## Step 1\n\n{BUY}", "step-1.coins=many")

    assert [item.rule for item in raised.value.diagnostics] == ["wrong-value"]
