"""Find the role of every block of a lesson: which rule decides, and why."""

from __future__ import annotations

from lesson_runner.document.languages import SHELL
from lesson_runner.model import BlockRole, Lesson, Role


def roles_of(lesson: Lesson) -> tuple[BlockRole, ...]:
    """Return the role of every fence and ``command:`` link of a lesson, in the order of the document."""
    return tuple(
        BlockRole(block, number, *_role(block.language))
        for number, block in enumerate((item for item in lesson.blocks if not item.hidden), 1)
    )


def _role(language: str) -> tuple[Role, str, str]:
    if language in SHELL:
        return "run", "it is a shell block", "shell"
    return "illustration", "no rule is sure what it is", "unsure"
