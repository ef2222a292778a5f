"""Findings about our commands in a lesson: all rules, tested on their pages' examples, and previews."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from lesson_ct4 import plugin
from lesson_ct4.data.fetch import URL
from lesson_ct4.rules import SUMMARIES, rules
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson, run_lesson

Lesson = Callable[..., Any]
CT4 = ModuleEntryPoint(plugin, "ct4")
GET = f"## Step 1: Get it\n\n```bash\nwget {URL} -O play.txt\n```\n\n"


def examples(page: str) -> tuple[str, str]:
    """Return the commands on a rule's page: the wrong ones and the right ones."""
    wrong, right = (token.content for token in MarkdownIt().parse(page) if token.type == "fence")
    return wrong, right


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_examples_of_every_rule(lesson: Lesson, tmp_path: Path, name: str) -> None:
    """The wrong example violates only its own rule, with its severity; the right one violates none."""
    rule = next(rule for rule in rules() if rule.id == f"ct4.{name}")
    found = []
    for block in examples(rule.page):
        (tmp_path / "a.md").write_text(lesson_text(f"{GET}## Step 2: Use it\n\n```bash\n{block}```\n"))
        said = lesson("validate", "a.md", "--json", points=[CT4]).json["findings"]
        found.append([(item["rule"], item["severity"]) for item in said if item["rule"].startswith("ct4.")])

    wrong, right = found
    assert (set(wrong), right) == ({(rule.id, rule.severity)}, [])


def test_a_rule_is_explained(lesson: Lesson) -> None:
    said = lesson("explain", "ct4.unknown-flag", points=[CT4])

    assert said.code == 0
    assert "lesson ct4 train --max_steps 3000" in said.out


def test_a_prompt_is_held_against_the_lessons_own_text_only(lesson: Lesson, tmp_path: Path) -> None:
    body = '## Step 2\n\n```bash\nlesson ct4 generate --prompt "[x" --model_path a\n```\n'
    (tmp_path / "a.md").write_text(lesson_text(body))

    assert lesson("validate", "a.md", "--json", points=[CT4]).json["findings"] == []


# --- previewing the text ---


def plan(folder: Path, block: str, before: str = GET) -> list[dict[str, Any]]:
    found = plan_lesson(
        lesson_text(f"{before}## Step 2: Look\n\n```bash\n{block}\n```\n"),
        folder,
        plugins=Plugins(points=[CT4]),
    )
    return [dict(step.params) for step in found.steps if step.action == "ct4.preview"]


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ("head -20 play.txt", 20),
        ("head play.txt", 10),
        ("cd ~/data\nhead -n 3 ./play.txt\nls", 3),
        ("head -n5 ~/data/play.txt", 5),
        ("head --lines=7 play.txt", 7),
    ],
)
def test_a_look_at_the_text(tmp_path: Path, block: str, lines: int) -> None:
    assert plan(tmp_path, block) == [{"name": "play.txt", "lines": lines}]


@pytest.mark.parametrize(
    "block",
    [
        "head other.txt",
        "head -c 20 play.txt",
        "head -20 play.txt other.txt",
        "head -20 play.txt | wc",
        "head -0 play.txt",
        "head",
        "tail -20 play.txt",
        "head play.txt\nrm play.txt",
        "head 'play.txt",
    ],
)
def test_what_is_no_look_at_the_text(tmp_path: Path, block: str) -> None:
    assert plan(tmp_path, block) == []


def test_a_look_at_more_lines_than_a_number_can_say(tmp_path: Path) -> None:
    plugins = Plugins(points=[CT4])
    text = lesson_text(f"{GET}## Step 2: Look\n\n```bash\nhead -n {'9' * 5_000} play.txt\n```\n")

    found = plan_lesson(text, tmp_path, plugins=plugins)

    assert [(step.id, step.claimed_by) for step in found.steps][-1] == ("step-2", "")
    assert plugins.infos[CT4.name].error is None


@pytest.mark.parametrize("name", [".", ".."])
def test_a_text_is_not_written_over_the_workspace(tmp_path: Path, name: str) -> None:
    block = f"wget {URL} -O {name}"

    text = lesson_text(f"## Step 1: Get\n\n```bash\n{block}\n```\n")
    found = plan_lesson(text, tmp_path, plugins=Plugins(points=[CT4]))

    assert [bool(step.skip) for step in found.steps] == [True]
    assert [(item.rule, item.severity) for item in found.diagnostics] == [("wrong-value", "warning")]


@pytest.mark.slow
def test_the_text_may_come_from_a_step_that_names_its_action(tmp_path: Path) -> None:
    body = (
        "<!-- step\nid: get\nuses: ct4.fetch-dataset\nwith: {name: mine.txt, fallback: only}\n-->\n"
        "```bash\nx\n```\n"
        "<!-- step\nid: look\n-->\n```bash\nhead -2 mine.txt\n```\n"
    )
    record = run_lesson(lesson_text(body), tmp_path, plugins=Plugins(points=[CT4]), backend="emulated")

    get, look = record["steps"]
    output = tmp_path / ".lesson" / "runs" / record["run_id"] / "evidence" / "look" / "output.txt"
    assert (look["action"], look["needs"], look["status"]) == ("ct4.preview", ["get"], "passed")
    assert look["labels"] == get["labels"] == ["synthetic dataset"]
    assert len(output.read_text().split("\n")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "the data set mine.txt is not in the workspace"), ("\n \n\nx", "are all empty")],
)
def test_a_look_at_what_is_not_there(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "mine.txt").write_text(text)
    body = "<!-- step\nid: look\nuses: ct4.preview\nwith: {name: mine.txt, lines: 3}\n-->\n```bash\nx\n```\n"

    (step,) = run_lesson(lesson_text(body), tmp_path, plugins=Plugins(points=[CT4]), place=tmp_path)["steps"]

    assert step["status"] == "failed"
    assert message in step["message"]


# --- an address in the lesson ---

FROM = (
    "<!-- step\nid: get\nuses: ct4.fetch-dataset\nwith: {{url: '{}', fallback: {}}}\n-->\n```bash\nx\n```\n"
)


@pytest.mark.parametrize(
    ("url", "fallback", "asked"),
    [
        (URL, "only", False),
        ("http://127.0.0.1:9/secret", "auto", True),
        ("http://127.0.0.1:9/secret", "only", False),  # nothing is downloaded
    ],
)
def test_a_lesson_may_not_choose_what_is_downloaded(
    lesson: Lesson, tmp_path: Path, url: str, fallback: str, asked: bool
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(FROM.format(url, fallback)))
    said = lesson("run", "a.md", "--backend", "emulated", points=[CT4])

    assert said.code == (2 if asked else 0)
    assert (f"wants to download from {url} and" in said.err) == asked
