"""The output while a lesson runs: loss curves, and the purpose of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin
from tests.lesson_runner import shop

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.report.live import sparkline
from lesson_runner.testing import lesson_text


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1], "▁"), ([2, 1], "█▁"), ([3, 3, 3], "▁▁▁"), ([8, 7, 6, 5, 4, 3, 2, 1], "█▇▆▅▄▃▂▁")],
)
def test_curves(values: Sequence[float], expected: str) -> None:
    assert sparkline(values) == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(1, 40))
def test_any_curve_fits(values: Sequence[float], width: int) -> None:
    drawn = sparkline(values, width)
    assert len(drawn) == min(width, len(values))
    assert set(drawn) <= set("▁▂▃▄▅▆▇█")


def test_a_training_ends_with_its_curve(lesson: Callable[..., Any], tmp_path: Any) -> None:
    def train(params: Json, context: StepContext) -> Outcome:
        for step in range(1, 9):
            context.progress(step, 8, curve="loss", loss=9.0 - step)
        return Outcome()

    plugin = fake_plugin("training", actions=[Action("train", "Train", train, self_judging=True)])
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\nuses: train\n-->\n```text\nx\n```\n"))

    said = lesson("run", "a.md", plugins=[plugin])

    assert "loss 8 █▇▆▅▄▃▂▁ 1" in said.out


def test_the_purpose_of_a_block_is_shown_once(lesson: Callable[..., Any], tmp_path: Any) -> None:
    step = "**Why:** {}.\n\n<!-- step\nid: {}\nexpect: [{{contains: bought}}]\n-->\n```shop\n{}\n```\n\n"
    body = step.format("hunger", "one", "buy bread\nbuy cheese") + step.format("thirst", "two", "buy milk")
    (tmp_path / "a.md").write_text(lesson_text(body))

    said = lesson("run", "a.md", plugins=[shop])

    assert said.code == 0, said
    lines = [line.strip() for line in said.out.splitlines()]
    assert (lines.count("Why: hunger."), lines.count("Why: thirst.")) == (1, 1)
    assert lines.index("Why: hunger.") < lines.index("│ bought bread for 1")
