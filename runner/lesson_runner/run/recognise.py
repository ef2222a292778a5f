"""
Make steps of the blocks of a lesson without directives, by their roles.

A block on the lesson's main path becomes the step that a directive would declare: what plugins know becomes
their actions, all other commands the shell or Python. The other blocks are listed with their roles.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lesson_runner.document.languages import SHELL, TYPED_IN
from lesson_runner.document.shell import shell_commands
from lesson_runner.document.transcripts import runs_as, shows_prompts, typed_in
from lesson_runner.model import (
    MAIN_PATH,
    ActionCall,
    Block,
    BlockRole,
    Diagnostic,
    Lesson,
    NotRun,
    Role,
)
from lesson_runner.plugins.action import Action
from lesson_runner.roles import COMMAND_LINK, UNSURE, topics
from lesson_runner.roles.run import LINK as UNKNOWN_LINK
from lesson_runner.run.headings import is_under_step
from lesson_runner.run.recognised_steps import Blank, Found, join_checks, make_steps

CLAIMED = "claimed"
"""The rule that decides if no other is sure, but a plugin knows what a block does."""
CHOSEN = "chosen"
"""The rule that decides if the user chose another way."""
_ASIDE = (topics.TROUBLE, topics.LOOK_UP, topics.REMOVAL, topics.LATER)
"""Topics of sections that are not on the main path."""
_SETS_UP = frozenset(
    "alias cd conda declare export local popd pushd set shopt source typeset umask unset .".split()  # noqa: SIM905
)
"""Commands that only change the terminal."""

Interpret = Callable[[Block, Lesson], Sequence[ActionCall]]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user gave for a lesson without directives."""

    options: Mapping[str, str] = field(default_factory=dict)
    """The chosen option of each group of alternatives (``--choose``)."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The values of ``--param`` that fill in blanks, by the blank's name."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was recognised in a lesson, and what was not."""

    lesson: Lesson
    """The lesson with the recognised steps."""
    blocks: tuple[BlockRole, ...]
    """The role of every block, with the id of its step."""
    absorbed: Mapping[str, tuple[Block, ...]]
    """The further blocks that a step covers, by the step's id."""
    not_covered: tuple[NotRun, ...]
    """Blocks that a reader would type in and command links that are not steps, each with the reason."""
    problems: tuple[Diagnostic, ...]
    """Problems of absorbed blocks; planning finds those of a step's own block."""
    blanks: tuple[Blank, ...] = ()
    """What ``--param`` can fill in."""


def recognise(
    lesson: Lesson,
    blocks: Sequence[BlockRole],
    interpret: Interpret,
    actions: Mapping[str, Action],
    choices: Choices,
) -> Recognition:
    """
    Find the steps of a lesson without directives.

    Args:
        blocks: the role of every block.
        interpret: returns the action calls that plugins make of a block; empty if no plugin knows the block.
        actions: all actions by name.
    """
    found: list[Found] = []
    decided: list[BlockRole] = []
    not_covered: list[NotRun] = []
    problems: list[Diagnostic] = []
    sections = [heading.location.line for heading in lesson.headings]
    for recognised in blocks:
        item = _after_choice(recognised, choices.options)
        calls = _calls_of_plugins(item, lesson, interpret, actions)
        if calls and item.role not in MAIN_PATH:
            item = dataclasses.replace(item, role="run", rule=CLAIMED, reason="a plugin knows what it does")
        decided.append(item)
        if reason := _why_not_a_step(item, calls):
            if _is_listed(item):
                not_covered.append(NotRun(item.block, reason))
            continue
        section = bisect(sections, item.block.location.line)
        last = found[-1] if found and found[-1].section == section and found[-1].calls else None
        both = join_checks([*last.calls, *calls], actions) if last and calls else calls
        if last and len(last.calls) == len(calls) == len(both) == 1:
            last.calls = both
            last.absorbed.append(item.block)
            problems += [problem for call in calls for problem in call.diagnostics]
        else:
            found.append(Found(item, calls, section, calls[0].params if calls else {}))
    for useless in _only_setting_up(found):
        found.remove(useless)
        not_covered.append(
            NotRun(useless.item.block, "it only sets up the terminal, which no later step uses")
        )
    steps, blanks = make_steps(found, actions, choices.values)
    absorbed = {
        step.id: tuple(item.absorbed) for step, item in zip(steps, found, strict=True) if item.absorbed
    }
    ids = {step.block: step.id for step in steps}
    ids |= {block: name for name, more in absorbed.items() for block in more}
    return Recognition(
        dataclasses.replace(lesson, steps=steps),
        tuple(dataclasses.replace(item, step=ids.get(item.block)) for item in decided),
        absorbed,
        tuple(not_covered),
        tuple(problems),
        blanks,
    )


def _after_choice(item: BlockRole, options: Mapping[str, str]) -> BlockRole:
    """Return a block after the choices of the user: of one group, only the chosen option runs."""
    chosen = options.get(item.group) if item.group else None
    if chosen is None or (chosen == item.option) == (item.role != "alternative"):
        return item
    role: Role = "alternative"
    if item.role == "alternative":
        spoken = [said.role for said in item.opinions if said.role in MAIN_PATH]
        role = "system" if "system" in spoken else next(iter(spoken), "run")
    reason = f"--choose {item.group}={chosen} says so"
    return dataclasses.replace(item, role=role, reason=reason, rule=CHOSEN)


def _calls_of_plugins(
    item: BlockRole, lesson: Lesson, interpret: Interpret, actions: Mapping[str, Action]
) -> list[ActionCall]:
    """Return what plugins make of a block that may be a step; empty if nothing would judge it."""
    if item.role == "file" or (item.role not in MAIN_PATH and not _can_be_claimed(item)):
        return []
    calls = join_checks(interpret(item.block, lesson), actions)
    return calls if all(_is_judged(call, actions) for call in calls) else []


def _can_be_claimed(item: BlockRole) -> bool:
    """Return whether a block that is not on the main path is, after all, if a plugin knows what it does."""
    if item.rule == UNKNOWN_LINK.name:
        return not any(topics.under(topic, item.block.headings) for topic in _ASIDE)
    if item.rule == UNSURE or item.block.language == COMMAND_LINK:
        return item.rule == UNSURE  # else a plugin's rule says what the link is
    uncertain = item.role == "illustration" or (item.role == "alternative" and not item.group)
    return uncertain and is_under_step(item.block.headings)


def _why_not_a_step(item: BlockRole, calls: Sequence[ActionCall]) -> str:
    """Return why a block is not a step; empty if it is one."""
    block = item.block
    if item.role not in MAIN_PATH:
        return f"{item.role}: {item.reason}"
    if calls:
        return ""
    if block.language == COMMAND_LINK:
        return "no plugin knows this command"
    if item.role == "file":
        return "" if item.file else "file: the lesson does not say where to save it"
    if block.language and runs_as(block) is None and block.language not in SHELL:
        return f"no action runs a {block.language} block"
    unclear = next((doubt for doubt in typed_in(block).doubts if doubt.severity == "error"), None)
    return unclear.message if unclear else ""


def _is_listed(item: BlockRole) -> bool:
    """Return whether a block is one that a reader would use, so that a plan says why it is not a step."""
    return is_typed_in(item.block) or item.block.language == COMMAND_LINK or item.role in MAIN_PATH


def is_typed_in(block: Block) -> bool:
    """Return whether a reader would type in a block: shell, Python, or something that shows their prompts."""
    return block.language in TYPED_IN or (not block.language and shows_prompts(block.text))


def _only_setting_up(found: Iterable[Found]) -> list[Found]:
    """Return the steps that only change the terminal, although no later step runs in the terminal."""
    useless: list[Found] = []
    for step in reversed(list(found)):
        if step.calls or step.item.role == "file":
            continue
        if not _sets_up(step.item.block):
            break
        useless.append(step)
    return useless


def _sets_up(block: Block) -> bool:
    commands = shell_commands(block) or ()
    return bool(commands) and all(
        not command.words or command.words[0] in _SETS_UP or "=" in command.words[0] for command in commands
    )


def _is_judged(call: ActionCall, actions: Mapping[str, Action]) -> bool:
    action = actions.get(call.action)  # planning reports one that does not exist
    return action is None or action.self_judging or bool(action.expect)
