"""The lines that open code blocks, and lines inside a block that seem to open another one."""

from __future__ import annotations

import re

from lesson_runner.model import Block, Lesson, Location

_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)")
_INNER = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>\w[^`\n]*)$", re.MULTILINE)


def opening(lesson: Lesson, block: Block) -> tuple[str, Location]:
    """Return the fence that opens a block, and its place."""
    line = block.location.line - 1
    match = _FENCE.search(lesson.text.split("\n")[line - 1])
    if match is None:
        return "```", Location(lesson.path, line)
    return match["fence"], Location(lesson.path, line, match.start() + 1)


def inner_opening(lesson: Lesson, block: Block) -> re.Match[str] | None:
    """Return the first line in a block that seems to open another block."""
    if block.hidden or ("```" not in block.text and "~~~" not in block.text):
        return None
    fence, _ = opening(lesson, block)
    for item in _INNER.finditer(block.text):
        if item["fence"][0] == fence[0] and len(item["fence"]) >= len(fence):
            return item
    return None
