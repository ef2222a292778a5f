"""What a policy asks and no run of a plan here can show: known before hours of running, not after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Case, Pass, RequirementResult
from lesson_runner.certify.rejudge import Judged, asks_a_person, telling
from lesson_runner.certify.requirements import examine
from lesson_runner.model import Hardware, Plan, PlannedStep
from lesson_runner.run.params import Param, params_for_record

_KNOWN = ("hardware", "profile", "parameters", "steps", "judgements")
"""Requirements that are met or not before anything has run; versions and facts are found out by steps."""


def forecast(
    plan: Plan, params: Sequence[Param], hardware: Sequence[Hardware], backend: str, policy: Policy
) -> list[RequirementResult]:
    """Return what is missing even if every step of the plan passes."""
    record = {
        "run_id": "any run",
        "status": "passed",
        "hardware": [item.found for item in hardware],
        "backend": backend,
        "labels": [],
        "facts": {},
        "profile": plan.profile,
        "params": params_for_record(params),
        "options": {"fresh": True},
    }
    one = Pass(record, tuple(_at_best(step) for step in plan.steps))
    actions = frozenset(step.action for step in plan.steps)
    requirements = examine(Case(plan.lesson.frontmatter, actions, (one,)), policy)
    return [item for item in requirements if item.requirement in _KNOWN and not item.met]


def _at_best(step: PlannedStep) -> Judged:
    """Return a step as it is if all goes well, and all of its conditions hold."""
    expect = tuple(replace(item, when={}) for item in step.expect)
    return Judged(
        step.id,
        "skipped" if step.skip else "passed",
        optional=step.optional,
        telling=telling(replace(step, expect=expect), {}),
        confirmed=asks_a_person(step),
    )
