"""The lines above a plan or a run: where its steps come from, and what the profile changes."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.model import NotRun, Plan
    from lesson_runner.plugins.action import Action


def recognition_line(plan: Plan) -> str:
    """Return how the steps of a lesson were recognised; empty if the lesson declares its steps."""
    if not plan.recognised:
        return ""
    counts = Counter(
        f"by plugin {step.claimed_by}" if step.claimed_by else step.action for step in plan.steps
    )
    found = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f"The lesson has no directives; these steps were recognised in its blocks: {found or 'none'}"


def roles_line(plan: Plan) -> str:
    """Return how many blocks of a lesson without directives have each role; empty for other lessons."""
    if not plan.recognised or not plan.blocks:
        return ""
    counts = Counter(item.role for item in plan.blocks)
    found = ", ".join(f"{count} {role}" for role, count in counts.most_common())
    return f"Blocks and command links: {found}; why: lesson explain {shlex.quote(str(plan.lesson.path))}:LINE"


def choice_lines(plan: Plan) -> list[str]:
    """Return the choices that a lesson offers, with the option of each that runs first."""
    groups: dict[str, dict[str, bool]] = {}
    for item in plan.blocks:
        if item.group:
            options = groups.setdefault(item.group, {})
            options[item.option] = options.get(item.option, False) or item.step is not None
    rows = []
    for group, options in groups.items():
        run = [option for option, runs in options.items() if runs]
        others = [f"--choose {group}={option}" for option, runs in options.items() if not runs]
        if others:
            rows.append(f"choice {group}: {' and '.join(run) or 'none'} runs; others: {', '.join(others)}")
    return rows


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
