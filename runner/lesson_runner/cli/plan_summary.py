"""The lines above a plan or a run: where its steps come from, and what the profile changes."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.model import NotRun, Plan
    from lesson_runner.plugins.action import Action


def recognition_line(plan: Plan) -> str:
    """Return which plugins recognised the steps of a lesson; empty if the lesson declares its steps."""
    if not plan.recognised:
        return ""
    counts = Counter(step.claimed_by for step in plan.steps)
    by = " and ".join(f"{count} by {name}" for name, count in counts.most_common())
    return f"The lesson declares no steps; these were recognised: {by}"


def profile_lines(plan: Plan, actions: Mapping[str, Action]) -> list[str]:
    """Return what the profiles of actions change in their steps; empty if the lesson has its own profiles."""
    from lesson_runner.run.params import profile_changes

    if plan.lesson.runner.get("profiles"):
        return []
    return [f"{plan.profile} changes {line}" for line in profile_changes(plan.steps, actions, plan.profile)]


def without_repetition(plan: Plan) -> Plan:
    """Return the plan without the layers that :func:`profile_lines` shows, for showing it step by step."""
    if plan.lesson.runner.get("profiles"):
        return plan
    name = f"profile {plan.profile}"
    steps = tuple(
        dataclasses.replace(step, layers=tuple(layer for layer in step.layers if layer.name != name))
        for step in plan.steps
    )
    return dataclasses.replace(plan, steps=steps)


def not_run_line(item: NotRun) -> str:
    """Describe a block or command link that is not run, with the reason."""
    from lesson_runner.cli.common import describe_block
    from lesson_runner.roles import COMMAND_LINK

    block = item.block
    if block.language != COMMAND_LINK:
        return describe_block(item)
    return f"the link {block.text} at line {block.location.line}: {item.reason}"
