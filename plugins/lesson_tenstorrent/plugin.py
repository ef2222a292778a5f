"""The hooks of ``lesson_tenstorrent``; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    from lesson_runner.plugins import (
        Action,
        ActionCall,
        Block,
        BlockRule,
        Check,
        Evidence,
        Hardware,
        Lesson,
        Need,
        PlannedStep,
        Rule,
    )


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return the action that replaces set-up commands, and the one that copies templates."""
    from lesson_tenstorrent.action import CHECK
    from lesson_tenstorrent.links.copy_template import COPY_TEMPLATE

    return [CHECK, COPY_TEMPLATE]


@hookimpl
def lesson_detect_hardware(thorough: bool) -> Iterable[Hardware]:
    """Return one entry: the machine's boards, or the simulator or mock that replaces them."""
    from lesson_tenstorrent.hardware.detect import detect

    return [detect(thorough=thorough)]


@hookimpl
def lesson_checks() -> Iterable[Check]:
    """Return the checks of machines with Tenstorrent boards, and of machines that emulate them."""
    from lesson_tenstorrent.table import CHECKS

    return CHECKS


@hookimpl
def lesson_rules() -> Iterable[Rule]:
    """Return the rules for lessons for Tenstorrent hardware."""
    from lesson_tenstorrent.rules import RULES

    return RULES


@hookimpl
def lesson_block_rules() -> Iterable[BlockRule]:
    """Return the rules that recognise links to the commands of Tenstorrent's VS Code extension."""
    from lesson_tenstorrent.links.roles import RULES

    return RULES


@hookimpl
def lesson_interpret_block(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """
    Recognise set-up commands, whose steps only check the result, and links to the extension's commands.

    Set-up commands are recognised in lessons that say which boards they are for: in any other tutorial,
    ``pip install`` is a command like all others.
    """
    from lesson_tenstorrent.blocks import interpret_block

    if block.language == "command-link":
        from lesson_tenstorrent.links.interpret import link_calls

        return link_calls(block) or None
    return interpret_block(block) if "supportedHardware" in lesson.frontmatter else None


@hookimpl
def lesson_needs(block: Block) -> Iterable[Need]:
    """Return that a block needs a board, if it calls the board's tools or opens a device."""
    from lesson_tenstorrent.needs import needs_of

    return needs_of(block)


@hookimpl
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """Return the number of checks by status."""
    from lesson_tenstorrent.findings import measure

    if step.action != "tenstorrent.check":
        return {}
    try:
        return measure(evidence)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
