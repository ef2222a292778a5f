"""Recognise ``lesson ct5 compare`` in shell blocks."""

from __future__ import annotations

from collections.abc import Sequence

from lesson_runner.document.shell import shell_commands
from lesson_runner.plugins import ActionCall, Block

COMMAND = ("lesson", "ct5", "compare")


def interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """Return a call for each comparison if the block does nothing else; otherwise ``None``."""
    if "ct5" not in block.text:
        return None
    calls = []
    for command in shell_commands(block) or ():
        words = command.words
        if not words and not command.operators:
            continue  # a comment
        if command.operators or words[:3] != COMMAND or any(word.startswith("-") for word in words[3:]):
            return None
        params = {"checkpoints": list(words[3:])}
        calls.append(ActionCall("ct5.compare", params, command.location, command.source))
    return calls or None
