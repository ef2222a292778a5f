"""Select the steps of a plan to run: ``--from``, ``--until`` and ``--only``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lesson_runner.model import LEFT_OUT, Plan, PlannedStep
from lesson_runner.model.errors import LessonError

SYSTEM = "system"
"""The permission to change the machine. Only ``--allow`` gives it: without it these steps are skipped."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps of a plan to run; ids as in the plan."""

    start: str | None = None
    until: str | None = None
    only: tuple[str, ...] = ()


def selected(plan: Plan, selection: Selection) -> tuple[PlannedStep, ...]:
    """
    Return the steps of a plan that a selection includes.

    Raises:
        LessonError: the selection names a step that does not exist, or is empty.
    """
    without = left_out(plan.steps, selection)
    return tuple(step for step in plan.steps if not step.skip and step.id not in without)


def not_allowed(step: PlannedStep, granted: Collection[str]) -> str | None:
    """Return why a step that changes the machine does not run, if the user has not allowed it."""
    if step.role != SYSTEM or SYSTEM in granted:
        return None
    return "it changes this machine (--allow system runs it)"


def left_out(steps: Sequence[PlannedStep], selection: Selection) -> Mapping[str, str]:
    """
    Return the steps that a selection leaves out, each with the option that excludes it.

    Every option takes the id of a planned step (``compare.2``) or of a whole step (``compare``).
    """
    ids = [step.id for step in steps]

    def find(option: str, name: str) -> list[int]:
        found = [n for n, item in enumerate(ids) if name in (item, item.rpartition(".")[0])]
        if not found:
            raise LessonError(f"{option} {name}: there is no such step", fix=f"one of: {', '.join(ids)}")
        return found

    first = find("--from", selection.start)[0] if selection.start else 0
    last = find("--until", selection.until)[-1] if selection.until else len(ids) - 1
    if first > last and ids:
        raise LessonError(
            f"--from {selection.start} comes after --until {selection.until}: nothing would run",
            fix="swap them",
        )
    wanted = {n for name in selection.only for n in find("--only", name)}
    reasons: dict[str, str] = {}
    for number, name in enumerate(ids):
        if number < first:
            reasons[name] = f"{LEFT_OUT}--from {selection.start}"
        elif number > last:
            reasons[name] = f"{LEFT_OUT}--until {selection.until}"
        elif wanted and number not in wanted:
            reasons[name] = f"{LEFT_OUT}--only {', '.join(selection.only)}"
    if ids and len(reasons) == len(ids):
        message = f"--only {', '.join(selection.only)} is outside --from and --until: nothing would run"
        raise LessonError(message, fix="use --only alone")
    return reasons
