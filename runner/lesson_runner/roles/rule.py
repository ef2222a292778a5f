"""A rule about blocks: one reason for one role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.model import Role

if TYPE_CHECKING:
    from lesson_runner.roles.view import BlockView


@dataclass(frozen=True, slots=True)
class BlockRule:
    """One reason why a block of a lesson without directives has a role."""

    name: str
    """Unique, in ``words-with-hyphens``; that of a plugin's rule begins with the plugin's name and a dot."""
    role: Role
    """The role of the blocks that the rule holds for."""
    about: str
    """When the rule holds, as a sentence to an author."""
    judge: Callable[[BlockView], str | None]
    """Returns why this block has the role, in words without a period; ``None`` if the rule does not know."""
    example: str = ""
    """Markdown whose last block the rule holds for."""
    counterexample: str = ""
    """Markdown, close to the example, whose last block it does not hold for."""
