"""Find the role of every block of a lesson: which rule decides, and why."""

from __future__ import annotations

from urllib.parse import unquote

from lesson_runner.document.languages import SHELL
from lesson_runner.model import Block, BlockRole, Lesson, Role

COMMAND_LINK = "command-link"
"""The language of a block that represents a ``command:`` link; its text is the command."""
UNSURE = "unsure"
"""The rule that decides if no other is sure."""
_COMMAND = "command:"


def roles_of(lesson: Lesson) -> tuple[BlockRole, ...]:
    """Return the role of every fence and ``command:`` link of a lesson, in the order of the document."""
    fences = [
        BlockRole(block, number, *_role(block.language))
        for number, block in enumerate((item for item in lesson.blocks if not item.hidden), 1)
    ]
    links = [BlockRole(block, 0, "run", "it is a command link", "link") for block in command_links(lesson)]
    return tuple(sorted([*fences, *links], key=lambda item: item.block.location))


def command_links(lesson: Lesson) -> list[Block]:
    """Return the ``command:`` links of a lesson as blocks, in the order of the document."""
    return [
        Block(COMMAND_LINK, unquote(link.target[len(_COMMAND) :]), link.location, link.headings)
        for link in lesson.links
        if link.kind == "link" and link.target.startswith(_COMMAND)
    ]


def _role(language: str) -> tuple[Role, str, str]:
    if language in SHELL:
        return "run", "it is a shell block", "shell"
    return "illustration", "no rule is sure what it is", UNSURE
