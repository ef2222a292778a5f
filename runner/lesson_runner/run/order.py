"""Order steps by their needs, declared or derived."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Mapping, Sequence

from lesson_runner.document.schema.validator import place_of
from lesson_runner.model import Diagnostic, PlannedStep, Step
from lesson_runner.model.hints import suggest_names
from lesson_runner.plugins.action import Action

MOST_HINTS = 100
"""How many hints are computed: finding the nearest of thousands of names takes milliseconds."""


def with_derived_needs(
    planned: Iterable[PlannedStep], actions: Mapping[str, Action], declared: Mapping[str, Step]
) -> tuple[list[PlannedStep], list[Diagnostic]]:
    """
    Return the steps with all their needs, as ids of planned steps.

    A need for ``compare`` becomes a need for every command of that step. A step that reads a file needs the
    last step before it that writes the file.
    """
    steps = list(planned)
    parts: dict[str, list[str]] = {name: [] for name in declared}
    for step in steps:
        parts[declared_id(step, declared)].append(step.id)
    writers: dict[str, str] = {}
    result: list[PlannedStep] = []
    problems: list[Diagnostic] = []
    for step in steps:
        needs: list[str] = []
        for index, name in enumerate(step.needs):
            if name in parts:
                needs += parts[name]
                if declared[name].cleanup and not step.cleanup:
                    problems.append(_needs_cleanup(step, name, declared[declared_id(step, declared)], index))
            else:
                origin = declared[declared_id(step, declared)]
                place = place_of(origin.positions, ("needs", index))
                message = f"step '{step.id}' needs '{name}', which does not exist"
                fix = "remove it, or name a step of this lesson"
                if len(problems) < MOST_HINTS:
                    others = [part for part in parts if part != origin.id]
                    fix = suggest_names(name, others) if others else "remove it"
                problems.append(Diagnostic("unknown-need", "error", message, place, fix))
        action = actions.get(step.action)
        if action and action.inspect and not step.skip:
            inspection = action.inspect(step.params)
            needs += [writers[name] for name in inspection.reads if name in writers]
            if not step.cleanup:
                writers.update(dict.fromkeys(inspection.writes, step.id))
        result.append(dataclasses.replace(step, needs=tuple(dict.fromkeys(needs))))
    return result, problems


def _needs_cleanup(step: PlannedStep, need: str, origin: Step, index: int) -> Diagnostic:
    message = f"step '{step.id}' needs '{need}', which cleans up at the end of the run"
    fix = "remove the need, or give both steps the same 'cleanup'"
    return Diagnostic("needs-cleanup", "error", message, place_of(origin.positions, ("needs", index)), fix)


def declared_id(step: PlannedStep, declared: Mapping[str, Step]) -> str:
    """Return the id of the declared step that a planned step belongs to."""
    return step.id if step.id in declared else step.id.rpartition(".")[0]


def sort_by_needs(steps: Sequence[PlannedStep]) -> tuple[list[PlannedStep], list[Diagnostic]]:
    """
    Return the steps in document order, except that each step comes after those it needs.

    Those that clean up come after all others.
    """
    steps = sorted(steps, key=lambda step: step.cleanup)
    places = {step.id: place for place, step in enumerate(steps)}
    missing = [sum(name in places for name in step.needs) for step in steps]
    needed_by: dict[str, list[int]] = {}
    for place, step in enumerate(steps):
        for name in step.needs:
            needed_by.setdefault(name, []).append(place)
    ready = [place for place, count in enumerate(missing) if not count]  # sorted, so it is a heap
    ordered: list[PlannedStep] = []
    while ready:
        step = steps[heapq.heappop(ready)]
        ordered.append(step)
        for place in needed_by.get(step.id, ()):
            missing[place] -= 1
            if not missing[place]:
                heapq.heappush(ready, place)
    waiting = [step for place, step in enumerate(steps) if missing[place]]
    if not waiting:
        return ordered, []
    circle = " → ".join(f"'{step.id}'" for step in _find_circle(waiting))
    message = f"steps need each other in a circle: {circle}"
    return ordered, [
        Diagnostic("needs-circle", "error", message, waiting[0].location, "remove one of the needs")
    ]


def _find_circle(waiting: Sequence[PlannedStep]) -> list[PlannedStep]:
    """Return one circle among steps that wait for each other; its first step is repeated at the end."""
    by_id = {step.id: step for step in waiting}
    path = {waiting[0].id: waiting[0]}
    last = waiting[0]
    while True:
        last = next(by_id[name] for name in last.needs if name in by_id)
        if last.id in path:
            steps = list(path.values())
            return [*steps[list(path).index(last.id) :], last]
        path[last.id] = last
