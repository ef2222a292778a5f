"""Write down a recognised block as the step that a directive would declare."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lesson_runner.document.transcripts import as_script, runs_as
from lesson_runner.model import ActionCall, Block, BlockRole, Expectation, Json, Role, Step
from lesson_runner.plugins.action import Action
from lesson_runner.roles.outside import is_outside_of_run
from lesson_runner.run.headings import step_name
from lesson_runner.run.shared_names import share_names

SESSION = "lesson"
"""The name of the Python session of a lesson without directives."""
LONGEST_TITLE = 60
"""A longer sentence above a block is not its title."""
_BOLD = re.compile(r"\*\*(?P<text>[^*]+)\*\*:?")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Blank:
    """A text in a block that the reader replaces."""

    text: str
    """As the block has it, such as ``<your-token>``."""
    name: str
    """Its name for ``--param``, such as ``your_token``."""

    @classmethod
    def of(cls, text: str) -> Blank:
        """Return the blank for a text of a block."""
        return cls(text, _NOT_IN_NAMES.sub("_", text.lower()).strip("_") or "value")


@dataclass(slots=True)
class Found:
    """A step being assembled."""

    item: BlockRole
    calls: list[ActionCall]
    """What plugins make of the block; empty if a general action runs it."""
    section: int
    own: Json = field(default_factory=dict)
    """The parameters that the block alone gives."""
    absorbed: list[Block] = field(default_factory=list)


def make_steps(
    found: Iterable[Found], actions: Mapping[str, Action], values: Mapping[str, str]
) -> tuple[tuple[Step, ...], tuple[Blank, ...]]:
    """
    Return the steps, with unique ids, and the blanks in them.

    Args:
        values: what fills in blanks, by name.
    """
    steps: list[Step] = []
    names: dict[str, int] = {}
    blanks: dict[str, Blank] = {}
    for item in found:
        block = item.item.block
        step = Step(
            _unique(step_name(block.headings), names),
            "step",
            block.location,
            block,
            _title(item),
            recognised=True,
            role="run" if item.calls else _role(item.item),
        )
        if item.calls:
            params = {key: value for key, value in item.calls[0].params.items() if item.own.get(key) != value}
            expect = _shared_expectations(item.calls, actions)
            steps.append(dataclasses.replace(step, params=params, expect=expect))
        else:
            has_blanks = item.item.role in ("placeholder", "system")
            mine = tuple(map(Blank.of, item.item.placeholders)) if has_blanks else ()
            blanks |= {blank.name: blank for blank in mine}
            steps.append(_filled_in(_with_general_action(step, item), mine, values))
    return tuple(_in_one_python(steps)), tuple(blanks.values())


def _role(item: BlockRole) -> Role:
    """Return the role of a block's step: to save a file outside of the run's folders changes the machine."""
    return "system" if item.role == "file" and is_outside_of_run(item.file) else item.role


def _in_one_python(steps: Sequence[Step]) -> Iterable[Step]:
    """Let the Python blocks of a lesson share their names, if a reader would type them into one Python."""
    blocks = [step.block for step in steps if step.uses == "python" and step.block is not None]
    if not share_names(blocks):
        return steps
    more = {"session": SESSION}
    return [
        dataclasses.replace(step, params={**step.params, **more}) if step.uses == "python" else step
        for step in steps
    ]


def _with_general_action(step: Step, item: Found) -> Step:
    """Return a step with the action that its role stands for."""
    block = item.item.block
    params: dict[str, Any] = {}
    uses: str = runs_as(block) or "shell"
    if item.item.role == "file":
        uses, params = "file", {"path": item.item.file}
    elif item.item.role == "service":
        uses = "service"
    elif item.item.role == "interactive" and uses == "shell":
        params = {"person": True}
    elif item.item.role == "interactive":
        return dataclasses.replace(step, uses=uses, skip="it waits for a person")
    return dataclasses.replace(step, uses=uses, params=params)


def _filled_in(step: Step, blanks: Sequence[Blank], values: Mapping[str, str]) -> Step:
    """Return a step with the blanks of its block filled in; without a value for each it does not run."""
    missing = [blank for blank in blanks if blank.name not in values]
    if missing:
        flags = " ".join(f"--param {blank.name}=…" for blank in missing)
        texts = " and ".join(blank.text for blank in missing)
        return dataclasses.replace(step, skip=f"{texts} must be filled in: {flags}")
    if not blanks or step.block is None:
        return step
    wanted = {blank.text: values[blank.name] for blank in blanks}
    script = re.sub(  # in one pass: a value is not looked at again
        "|".join(map(re.escape, sorted(wanted, key=len, reverse=True))),
        lambda found: wanted[found[0]],
        as_script(step.block),
    )
    return dataclasses.replace(step, params={**step.params, "script": script})


def fill_in(steps: Iterable[Step], values: Mapping[str, str]) -> tuple[tuple[Step, ...], tuple[Blank, ...]]:
    """
    Return declared steps with their placeholders filled in, and the blanks in them.

    Args:
        values: what fills in blanks, by name.
    """
    steps = tuple(steps)
    blanks = [tuple(map(Blank.of, step.placeholders)) for step in steps]
    filled = tuple(_filled_in(step, mine, values) for step, mine in zip(steps, blanks, strict=True))
    return filled, tuple({blank.name: blank for mine in blanks for blank in mine}.values())


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


def _title(found: Found) -> str:
    """Return the bold line above a block, else a short sentence above it, else the heading."""
    block = found.item.block
    heading = block.headings[-1] if block.headings else ""
    if len(found.calls) > 1 or step_name(block.headings).startswith("prerequisite"):
        return heading
    if lead := _BOLD.fullmatch(block.lead.strip()):
        return " ".join(lead["text"].split()).rstrip(":")
    sentence = " ".join(block.lead.split())
    if not found.calls and sentence.endswith(":") and len(sentence) <= LONGEST_TITLE:
        return re.sub(r"[*_`]", "", sentence).rstrip(":")
    return heading


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
