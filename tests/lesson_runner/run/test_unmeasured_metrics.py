"""Metrics that a step expects: those that it can never have are found before it runs, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Action, Outcome
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]


def train(metrics: tuple[str, ...] | None, **measured: float) -> Action:
    return Action(
        "my.train", "Train", lambda *_: Outcome(metrics=measured), self_judging=True, metrics=metrics
    )


def write(folder: Path, name: str, action: str = "my.train") -> None:
    expect = f"expect: [{{metric: {{name: {name}, max: 2}}}}]"
    block = "```bash\necho loss 1\n```" if action == "shell" else "```text\nx\n```"
    uses = "" if action == "shell" else f"uses: {action}\n"
    step = f"<!-- step\nid: one\n{uses}capture: {{loss: 'loss (.*)'}}\n{expect}\n-->\n{block}"
    (folder / "a.md").write_text(lesson_text(step))


def found(lesson: Command, *plugins: object) -> list[str]:
    said = lesson("validate", "a.md", "--json", plugins=plugins)
    return [item["fix"] for item in said.json["findings"] if item["rule"] == "unmeasured-metric"]


@pytest.mark.parametrize(
    ("metrics", "name", "fixes"),
    [
        (("final_loss", "steps"), "final_los", ["did you mean 'final_loss'?"]),
        (("final_loss", "steps"), "steps", []),
        (("final_loss", "steps"), "loss", []),  # captured
        (("ms_per_step_*",), "ms_per_step_4", []),
        (("ms_per_step_*",), "seconds", ["one of: loss, ms_per_step_*"]),
        ((), "lossx", ["did you mean 'loss'?"]),
        (None, "anything", []),
    ],
)
def test_metrics_that_an_action_declares(
    lesson: Command, tmp_path: Path, metrics: tuple[str, ...] | None, name: str, fixes: list[str]
) -> None:
    write(tmp_path, name)
    assert found(lesson, fake_plugin("my", actions=[train(metrics)])) == fixes


def test_a_plugin_may_measure_any_step_unless_it_declares_its_metrics(
    lesson: Command, tmp_path: Path
) -> None:
    write(tmp_path, "lossx", "shell")
    measuring = fake_plugin("any", measure=lambda step: {"lossx": 1})
    undeclared = fake_plugin("my", actions=[train(None)], measure=lambda step: {"lossx": 1})
    declared = fake_plugin("my", actions=[train(("steps",))], measure=lambda step: {})
    assert found(lesson) == ["did you mean 'loss'?"]
    assert found(lesson, measuring) == []
    assert lesson("run", "a.md", "--allow", "shell", plugins=[measuring]).code == 0
    assert found(lesson, undeclared) == []
    assert found(lesson, declared) == ["did you mean 'loss'?"]


def test_a_metric_that_an_action_does_not_declare_is_an_error_of_the_action(
    lesson: Command, tmp_path: Path
) -> None:
    write(tmp_path, "steps")
    said = lesson("run", "a.md", "--json", plugins=[fake_plugin("my", actions=[train(("steps",), stps=1)])])
    assert said.code == 1
    assert said.json["steps"][0]["status"] == "error"
    assert (
        "the metric 'stps' is not among the 'metrics' of action 'my.train'"
        in said.json["steps"][0]["message"]
    )


@pytest.mark.parametrize("action", ["my.train", "shell"])
def test_a_plugin_measures_what_it_does_not_declare(lesson: Command, tmp_path: Path, action: str) -> None:
    write(tmp_path, "loss", action)
    plugin = fake_plugin("my", actions=[train(("steps",), steps=1)], measure=lambda step: {"loss": 1})
    said = lesson("run", "a.md", "--allow", "shell", "--json", plugins=[plugin])
    assert said.json["steps"][0]["status"] == "error"
    assert "plugin 'my': in lesson_measure: ValueError: " in said.json["steps"][0]["message"]
