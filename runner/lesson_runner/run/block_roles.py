"""What follows from the roles of blocks: those of declared steps, shown output, alternatives."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence

from lesson_runner.model import Block, BlockRole, Expectation, Lesson, Location, Role, Step
from lesson_runner.model.errors import LessonError

_BY_ACTION: Mapping[str, Role] = {"file": "file", "service": "service"}
DIRECTIVE = "directive"
"""The rule that decides if the author wrote a directive."""


def declared_roles(lesson: Lesson, roles: Iterable[BlockRole]) -> tuple[BlockRole, ...]:
    """
    Return the roles of the blocks of a lesson with directives; these decide about their own blocks.

    Args:
        roles: those of its blocks by the rules.
    """
    steps = {step.block: step for step in lesson.steps if step.block is not None}
    skipped = {item.block: item.reason for item in lesson.skipped}
    return tuple(_declared(item, steps, skipped) for item in roles)


def with_choices(lesson: Lesson, options: Mapping[str, str]) -> Lesson:
    """
    Return a lesson with directives, of which only one option of each group runs: the chosen, else the first.

    Args:
        options: the chosen option of each group.
    """
    first: dict[str, str] = {}
    for step in lesson.steps:
        if step.choice is not None:
            first.setdefault(step.choice.group, step.choice.option)
    chosen = {**first, **options}
    steps = tuple(_chosen(step, chosen) for step in lesson.steps)
    return dataclasses.replace(lesson, steps=steps) if first else lesson


def _chosen(step: Step, chosen: Mapping[str, str]) -> Step:
    choice = step.choice
    if choice is None or chosen[choice.group] == choice.option:
        return step
    instead = f"--choose {choice.group}={choice.option}"
    return dataclasses.replace(step, skip=f"'{chosen[choice.group]}' runs instead ({instead} runs it)")


def _declared(item: BlockRole, steps: Mapping[Block, Step], skipped: Mapping[Block, str]) -> BlockRole:
    if step := steps.get(item.block):
        reason = f"the directive of step '{step.id}' says so"
        said = dataclasses.replace(item, reason=reason, rule=DIRECTIVE, step=step.id, group="", option="")
        role: Role = "system" if step.role == "system" else _BY_ACTION.get(step.uses or "", "run")
        if step.choice is None:
            return dataclasses.replace(said, role=role)
        role = "alternative" if step.skip else role
        return dataclasses.replace(said, role=role, group=step.choice.group, option=step.choice.option)
    if item.block in skipped:
        reason = f"its author skips it: {skipped[item.block]}"
        return dataclasses.replace(item, role="illustration", reason=reason, rule=DIRECTIVE)
    return item


def at_line(blocks: Iterable[BlockRole], line: int) -> BlockRole | None:
    """Return the block or link that contains a line, counted from 1; ``None`` if there is none."""
    for item in blocks:
        block = item.block
        first = block.location.line
        if item.number:
            rows = block.text.count("\n")
            if first - 1 <= line <= first + rows:
                return item
        elif line == first:
            return item
    return None


def shown_below(blocks: Iterable[BlockRole]) -> Mapping[Block, Sequence[Expectation]]:
    """Return what the lesson shows as the output of each block, in blocks of their own."""
    blocks = list(blocks)
    fences = {item.number: item.block for item in blocks if item.number}
    shown: dict[Block, list[Expectation]] = {}
    for item in blocks:
        if item.role != "output" or item.rule == DIRECTIVE or item.printed_by not in fences:
            continue
        start = item.block.location
        rows = [row.replace("\u2026", "...") for row in item.block.text.rstrip("\n").split("\n")]
        places = tuple(Location(start.path, start.line + row, start.column) for row in range(len(rows)))
        shown.setdefault(fences[item.printed_by], []).append(Expectation("lines", rows, places=places))
    return shown


def check_options(options: Mapping[str, str], blocks: Iterable[BlockRole]) -> None:
    """
    Check that every ``--choose`` names an alternative of the lesson.

    Raises:
        LessonError: there is no such group or option.
    """
    known: dict[str, list[str]] = {}
    for item in blocks:
        if item.group and item.option not in known.setdefault(item.group, []):
            known[item.group].append(item.option)
    for group, option in options.items():
        if group not in known:
            close = difflib.get_close_matches(group, known, 1)
            fix = f"did you mean {close[0]}?" if close else f"it has: {', '.join(known)}" if known else None
            raise LessonError(f"--choose {group}={option}: the lesson has no such choice", fix=fix)
        if option not in known[group]:
            raise LessonError(
                f"--choose {group}={option}: there is no such option",
                fix=f"one of: {', '.join(known[group])}",
            )
