"""Check a plan against a policy before it runs: which requirements no run of it can meet here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Pass, PolicyInput, RequirementResult
from lesson_runner.certify.rejudge import RejudgedStep, count_meaningful, needs_confirmation
from lesson_runner.certify.requirements import examine
from lesson_runner.model import Hardware, Plan, PlannedStep
from lesson_runner.run.params import Param, params_for_record

_KNOWN_IN_ADVANCE = ("hardware", "profile", "parameters", "steps", "judgements")
"""Requirements that can be checked before the run; versions and facts are found out by steps."""


def forecast(
    plan: Plan, params: Sequence[Param], hardware: Sequence[Hardware], backend: str, policy: Policy
) -> list[RequirementResult]:
    """Return the requirements that are not met even if every step of the plan passes."""
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
    best = Pass(record, tuple(_as_passed(step) for step in plan.steps))
    actions = frozenset(step.action for step in plan.steps)
    requirements = examine(PolicyInput(plan.lesson.frontmatter, actions, (best,)), policy)
    return [item for item in requirements if item.requirement in _KNOWN_IN_ADVANCE and not item.met]


def _as_passed(step: PlannedStep) -> RejudgedStep:
    """Return a step as if it had passed, with the conditions of all its expectations met."""
    expect = tuple(replace(item, when={}) for item in step.expect)
    return RejudgedStep(
        step.id,
        "skipped" if step.skip else "passed",
        optional=step.optional,
        meaningful=count_meaningful(replace(step, expect=expect), {}),
        confirmed=needs_confirmation(step),
    )
