"""
The steps of a lesson whose author wrote no directive.

A block, or a ``command:`` link, is a step if it stands under the heading of a step, under none that is about
something else, and a plugin knows what it does. Pure rules on the parsed document; everything else in it is
listed with the reason why it is no step.
"""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from lesson_runner.document.parser import RUNNABLE
from lesson_runner.model import ActionCall, Block, Diagnostic, Expectation, Json, Lesson, NotRun, Step
from lesson_runner.plugins.action import Action
from lesson_runner.run.headings import is_under_step, step_name, why_not_a_step

COMMAND_LINK = "command-link"
"""The language of the block that stands for a ``command:`` link; its text is the command."""
_COMMAND = "command:"
_BOLD = re.compile(r"\*\*(?P<text>[^*]+)\*\*:?")

Interpret = Callable[[Block, Lesson], Sequence[ActionCall]]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised in a lesson, and what was not."""

    lesson: Lesson
    """The lesson with the steps that were recognised."""
    absorbed: Mapping[str, tuple[Block, ...]]
    """The blocks that a step stands for besides its own, by the step's id."""
    not_covered: tuple[NotRun, ...]
    """Blocks that a reader would type in, and command links, that are no step; each with the reason."""
    problems: tuple[Diagnostic, ...]
    """What is wrong with absorbed blocks; with a step's own, planning finds it."""


@dataclass(slots=True)
class _Found:
    """A step in the making."""

    block: Block
    calls: list[ActionCall]
    section: int
    own: Json
    """The parameters that the block alone gives."""
    absorbed: list[Block] = field(default_factory=list)


def has_directives(lesson: Lesson) -> bool:
    """Return whether the author said what the lesson's steps are, or that a block is none."""
    return bool(lesson.steps or lesson.skipped)


def recognise(lesson: Lesson, interpret: Interpret, actions: Mapping[str, Action]) -> Recognition:
    """
    Find the steps of a lesson without directives.

    Args:
        interpret: what plugins say a block stands for; nothing if none knows it.
        actions: all actions by name.
    """
    found: list[_Found] = []
    left: list[NotRun] = []
    problems: list[Diagnostic] = []
    sections = [heading.location.line for heading in lesson.headings]
    titles = [heading.title for heading in lesson.headings if heading.level == 1]
    for block in _candidates(lesson):
        # The document's title says nothing about a section.
        chain = block.headings[1:] if titles == list(block.headings[:1]) else block.headings
        reason = why_not_a_step(chain)
        if not reason and not is_under_step(block.headings):
            reason = "not under a step's heading"
        calls = [] if reason else join_checks(interpret(block, lesson), actions)
        if not calls:
            if block.language in RUNNABLE or block.language == COMMAND_LINK:
                left.append(NotRun(block, reason or "no plugin knows it"))
            continue
        if unjudged := next((call.action for call in calls if not _is_judged(call, actions)), None):
            left.append(NotRun(block, f"nothing would judge it: '{unjudged}' needs an 'expect'"))
            continue
        section = bisect(sections, block.location.line)
        last = found[-1] if found and found[-1].section == section else None
        both = join_checks([*last.calls, *calls], actions) if last else calls
        if last and len(last.calls) == len(calls) == len(both) == 1:
            last.calls = both
            last.absorbed.append(block)
            problems += [problem for call in calls for problem in call.diagnostics]
        else:
            found.append(_Found(block, calls, section, calls[0].params))
    steps, absorbed = _steps(found, actions)
    return Recognition(dataclasses.replace(lesson, steps=steps), absorbed, tuple(left), tuple(problems))


def join_checks(calls: Iterable[ActionCall], actions: Mapping[str, Action]) -> list[ActionCall]:
    """Return the calls, with consecutive calls of an action that only runs checks join_checks into one."""
    result: list[ActionCall] = []
    for call in calls:
        action = actions.get(call.action)
        last = result[-1] if result else None
        params = None
        if last and action and action.checks and last.action == call.action:
            params = _merged_params(last.params, call.params)
        if last and params is not None:
            result[-1] = ActionCall(
                last.action,
                params,
                last.location,
                f"{last.source}\n{call.source}",
                (*last.absorbed, *call.absorbed),
                (*last.diagnostics, *call.diagnostics),
            )
        else:
            result.append(call)
    return result


def _merged_params(first: Json, second: Json) -> Json | None:
    """Return two calls' parameters as those of one, with lists join_checks; ``None`` if other values differ."""
    both = {**first, **second}
    for name, value in both.items():
        if isinstance(value, list | tuple):
            one, two = first.get(name, ()), second.get(name, ())
            both[name] = [*one, *(item for item in two if item not in one)]
        elif first.get(name) != second.get(name):
            return None
    return both


def _candidates(lesson: Lesson) -> list[Block]:
    """Return the blocks, and the command links as blocks, in the document's order."""
    blocks = [block for block in lesson.blocks if block.language and not block.hidden]
    blocks += [
        Block(COMMAND_LINK, unquote(link.target[len(_COMMAND) :]), link.location, link.headings)
        for link in lesson.links
        if link.kind == "link" and link.target.startswith(_COMMAND)
    ]
    return sorted(blocks, key=lambda block: block.location)


def _is_judged(call: ActionCall, actions: Mapping[str, Action]) -> bool:
    action = actions.get(call.action)  # planning reports one that does not exist
    return action is None or action.self_judging or bool(action.expect)


def _steps(
    found: Iterable[_Found], actions: Mapping[str, Action]
) -> tuple[tuple[Step, ...], dict[str, tuple[Block, ...]]]:
    steps: list[Step] = []
    absorbed: dict[str, tuple[Block, ...]] = {}
    names: dict[str, int] = {}
    for item in found:
        name = _unique(step_name(item.block.headings), names)
        params = {key: value for key, value in item.calls[0].params.items() if item.own.get(key) != value}
        if item.absorbed:
            absorbed[name] = tuple(item.absorbed)
        steps.append(
            Step(
                name,
                "step",
                item.block.location,
                item.block,
                _title(item),
                params=params,
                expect=_shared_expectations(item.calls, actions),
                recognised=True,
            )
        )
    return tuple(steps), absorbed


def _title(found: _Found) -> str:
    """Return the bold line above a block of one command, else the heading; a prerequisite is its heading."""
    block = found.block
    lead = _BOLD.fullmatch(block.lead.strip())
    if lead is None or len(found.calls) > 1 or step_name(block.headings).startswith("prerequisite"):
        return block.headings[-1]
    return " ".join(lead["text"].split()).rstrip(":")


def _unique(name: str, taken: dict[str, int]) -> str:
    """Return a name that is not taken yet, and note for each how many were made of it."""
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}-{taken[name]}"
    taken[candidate] = 1
    return candidate


def _shared_expectations(
    calls: Sequence[ActionCall], actions: Mapping[str, Action]
) -> tuple[Expectation, ...]:
    """Return what all commands of a block must show; nothing if that is not the same for all."""
    each = [actions[call.action].expect for call in calls if call.action in actions]
    return each[0] if each and all(item == each[0] for item in each) else ()
