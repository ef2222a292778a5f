"""
Recognise the steps of a lesson without directives.

A block, or a ``command:`` link, is a step if it is under the heading of a step, under no heading about
another topic, and a plugin knows what it does. The rules use only the parsed document; all other blocks are
listed with the reason why they are not steps.
"""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lesson_runner.document.languages import TYPED_IN
from lesson_runner.document.transcripts import shows_prompts
from lesson_runner.model import ActionCall, Block, Diagnostic, Expectation, Json, Lesson, NotRun, Step
from lesson_runner.plugins.action import Action
from lesson_runner.roles import COMMAND_LINK, candidates
from lesson_runner.run.headings import is_under_step, step_name, why_not_a_step

_BOLD = re.compile(r"\*\*(?P<text>[^*]+)\*\*:?")

Interpret = Callable[[Block, Lesson], Sequence[ActionCall]]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised in a lesson, and what was not."""

    lesson: Lesson
    """The lesson with the recognised steps."""
    absorbed: Mapping[str, tuple[Block, ...]]
    """The further blocks that a step covers, by the step's id."""
    not_covered: tuple[NotRun, ...]
    """Blocks that a reader would type in and command links that are not steps, each with the reason."""
    problems: tuple[Diagnostic, ...]
    """Problems of absorbed blocks; planning finds those of a step's own block."""


@dataclass(slots=True)
class _Found:
    """A step being assembled."""

    block: Block
    calls: list[ActionCall]
    section: int
    own: Json
    """The parameters that the block alone gives."""
    absorbed: list[Block] = field(default_factory=list)


def has_directives(lesson: Lesson) -> bool:
    """Return whether the author declared steps or skipped blocks."""
    return bool(lesson.steps or lesson.skipped)


def is_typed_in(block: Block) -> bool:
    """Return whether a reader would type in a block: shell, Python, or something that shows their prompts."""
    return block.language in TYPED_IN or (not block.language and shows_prompts(block.text))


def recognise(lesson: Lesson, interpret: Interpret, actions: Mapping[str, Action]) -> Recognition:
    """
    Find the steps of a lesson without directives.

    Args:
        interpret: returns the action calls that plugins make of a block; empty if no plugin knows the block.
        actions: all actions by name.
    """
    found: list[_Found] = []
    not_covered: list[NotRun] = []
    problems: list[Diagnostic] = []
    sections = [heading.location.line for heading in lesson.headings]
    titles = [heading.title for heading in lesson.headings if heading.level == 1]
    for block in candidates(lesson):
        # The title of the document says nothing about a section.
        chain = block.headings[1:] if titles == list(block.headings[:1]) else block.headings
        reason = why_not_a_step(chain)
        if not reason and not is_under_step(block.headings):
            reason = "not under a step's heading"
        calls = [] if reason else join_checks(interpret(block, lesson), actions)
        if not calls:
            if is_typed_in(block) or block.language == COMMAND_LINK:
                not_covered.append(NotRun(block, reason or "no plugin recognises it"))
            continue
        if unjudged := next((call.action for call in calls if not _is_judged(call, actions)), None):
            not_covered.append(NotRun(block, f"nothing would judge it: '{unjudged}' needs an 'expect'"))
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
    return Recognition(
        dataclasses.replace(lesson, steps=steps), absorbed, tuple(not_covered), tuple(problems)
    )


def join_checks(calls: Iterable[ActionCall], actions: Mapping[str, Action]) -> list[ActionCall]:
    """Join consecutive calls of an action that only runs checks into one call."""
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
    """Merge the parameters of two calls, joining lists; ``None`` if other values differ."""
    both = {**first, **second}
    for name, value in both.items():
        if isinstance(value, list | tuple):
            one, two = first.get(name, ()), second.get(name, ())
            both[name] = [*one, *(item for item in two if item not in one)]
        elif first.get(name) != second.get(name):
            return None
    return both


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
    """Return the bold line above a block with one command, else the heading; a prerequisite: the heading."""
    block = found.block
    lead = _BOLD.fullmatch(block.lead.strip())
    if lead is None or len(found.calls) > 1 or step_name(block.headings).startswith("prerequisite"):
        return block.headings[-1]
    return " ".join(lead["text"].split()).rstrip(":")


def _unique(name: str, taken: dict[str, int]) -> str:
    """Return a unique name, numbered if needed, and update the counts in ``taken``."""
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}-{taken[name]}"
    taken[candidate] = 1
    return candidate


def _shared_expectations(
    calls: Sequence[ActionCall], actions: Mapping[str, Action]
) -> tuple[Expectation, ...]:
    """Return the expectations of a block's commands; empty if they differ between commands."""
    each = [actions[call.action].expect for call in calls if call.action in actions]
    return each[0] if each and all(item == each[0] for item in each) else ()
