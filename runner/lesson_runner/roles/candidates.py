"""The blocks of a lesson that get a role: its fences, and its ``command:`` links."""

from __future__ import annotations

from urllib.parse import unquote

from lesson_runner.model import Block, Lesson

COMMAND_LINK = "command-link"
"""The language of a block that represents a ``command:`` link; its text is the command."""
_COMMAND = "command:"


def candidates(lesson: Lesson) -> list[Block]:
    """Return the blocks that readers see, and the command links as blocks, in the order of the document."""
    blocks = [block for block in lesson.blocks if not block.hidden]
    blocks += [
        Block(COMMAND_LINK, unquote(link.target[len(_COMMAND) :]), link.location, link.headings)
        for link in lesson.links
        if link.kind == "link" and link.target.startswith(_COMMAND)
    ]
    return sorted(blocks, key=lambda block: block.location)
