"""Recognise ``lesson ct5 compare`` in shell blocks."""

from __future__ import annotations

from collections.abc import Sequence

from lesson_runner.model import ActionCall, Block, Location
from lesson_tenstorrent.shellwords import commands_of

COMMAND = ["lesson", "ct5", "compare"]


def interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """Return a call for each comparison, if a block does nothing but compare; else ``None``."""
    read = commands_of(block) if "ct5" in block.text else None
    if read is None:
        return None
    text, commands = read
    calls = []
    for command in commands:
        words = [word.text for word in command.words]
        if not words and not command.operators:
            continue  # a comment
        if command.operators or words[:3] != COMMAND or any(word.startswith("-") for word in words[3:]):
            return None
        first, start = command.words[0], block.location
        place = Location(start.path, start.line + first.line - 1, start.column + first.column - 1)
        source = text[command.start : command.end]
        calls.append(ActionCall("ct5.compare", {"checkpoints": words[3:]}, place, source))
    return calls or None
