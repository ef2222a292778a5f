"""Find the role of every block of a lesson: a chain of rules, of which the first that knows it decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lesson_runner.document.transcripts import typed_in
from lesson_runner.model import MAIN_PATH, BlockRole, Lesson, Opinion, Role
from lesson_runner.roles.candidates import COMMAND_LINK, candidates
from lesson_runner.roles.chain import RULES
from lesson_runner.roles.choices import with_choices
from lesson_runner.roles.file import file_name
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.used_later import used_later
from lesson_runner.roles.view import BlockView, Memory

MOST_BLOCKS = 3000
"""Rules look at so many blocks of a lesson; the others are illustrations."""
_NOT_PRINTED = frozenset({"drawing", "plain-text"})
"""Rules that know text which is not a program, but not whether a command prints it."""
UNSURE = "unsure"
"""The name of the rule that is said to decide where none spoke."""


def roles_of(lesson: Lesson, rules: Iterable[BlockRule] = ()) -> tuple[BlockRole, ...]:
    """
    Return the role of every fence that readers see and of every ``command:`` link, in the document's order.

    Directives are not looked at: this is what each block seems to be without them.

    Args:
        rules: those of plugins, which speak before the built-in ones.
    """
    chain = (*rules, *RULES)
    memory, views = _read(lesson, chain, Memory())
    if needed := used_later(views, memory.roles):
        memory, _ = _read(lesson, chain, Memory(used_later=needed))
    return tuple(with_choices(memory.roles, memory.ways))


def _read(lesson: Lesson, chain: Sequence[BlockRule], memory: Memory) -> tuple[Memory, list[BlockView]]:
    """Judge the blocks one after the other; return what is known in the end, and what was seen of each."""
    views: list[BlockView] = []
    number = 0
    for block in candidates(lesson):
        is_fence = block.language != COMMAND_LINK
        number += is_fence
        view = BlockView(block, lesson, number if is_fence else 0, memory)
        judged = bool(block.text.strip()) and len(memory.roles) < MOST_BLOCKS
        memory.add(view, _role(view, chain if judged else ()))
        views.append(view)
    return memory, views


def _role(view: BlockView, chain: Iterable[BlockRule]) -> BlockRole:
    spoke = [
        Opinion(rule.name, rule.role, reason) for rule in chain if (reason := rule.judge(view)) is not None
    ]
    decided = spoke[0] if spoke else Opinion(UNSURE, "illustration", "no rule is sure what it is")
    is_main = decided.role in MAIN_PATH or decided.role == "alternative"
    return BlockRole(
        view.block,
        view.number,
        decided.role,
        decided.reason,
        decided.rule,
        tuple(spoke),
        file=file_name(view) if decided.role == "file" else "",
        placeholders=view.placeholders if is_main else (),
        printed_by=_printer(view, spoke) if decided.role == "output" else None,
    )


def _printer(view: BlockView, spoke: Iterable[Opinion]) -> int | None:
    """
    Return the number of the block in the same section whose commands print what this one shows.

    A block that shows the output of its commands itself has no more of it below.
    """
    before = view.previous
    if all(said.rule in _NOT_PRINTED for said in spoke) or (before and typed_in(before.block).output):
        return None
    if before is not None and before.role == "output":
        return before.printed_by
    prints: frozenset[Role] = frozenset(
        {"run", "system", "service", "placeholder", "interactive", "alternative"}
    )
    return before.number if before is not None and before.role in prints else None


__all__ = ["COMMAND_LINK", "RULES", "UNSURE", "BlockRule", "BlockView", "candidates", "roles_of"]
