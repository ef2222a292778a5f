"""Find what a lesson does not check: blocks without a step, steps without a real expectation."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.model import Diagnostic, Plan

JUDGED_BY_EXIT = ("shell", "python")
"""Actions that by themselves judge only the exit code of a process."""


def uncovered(plan: Plan) -> Iterable[Diagnostic]:
    """Yield the runnable blocks that have neither a step nor a ``skip`` directive."""
    if all(step.recognised for step in plan.lesson.steps):
        return  # for lessons without directives, `lesson plan` lists what is covered
    for item in plan.not_run:
        if not item.reason:
            block = item.block
            message = f"no step runs this {block.language or 'terminal'} block"
            fix = "put a 'step' comment above it, or a 'skip' comment with the reason"
            yield Diagnostic("uncovered-block", "info", message, block.location, fix)


def judged_by_exit_alone(plan: Plan) -> Iterable[Diagnostic]:
    """Yield the steps that pass no matter what they print."""
    declared = {step.id: step for step in plan.lesson.steps if not step.recognised}
    for step in plan.steps:
        if step.action not in JUDGED_BY_EXIT or step.id not in declared or step.skip:
            continue
        if all(item.matcher == "exit" and item.argument == 0 for item in step.expect):
            message = f"step '{step.id}' passes no matter what it prints: only its exit code is checked"
            fix = "expect something the reader should see, such as 'contains: …'"
            yield Diagnostic("only-exit", "info", message, declared[step.id].location, fix)
