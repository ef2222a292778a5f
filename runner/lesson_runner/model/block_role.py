"""What a block of a lesson is: its role, the rule that decided it, and what follows."""

from __future__ import annotations

from dataclasses import dataclass

from lesson_runner.model.document import Block
from lesson_runner.model.need import Need
from lesson_runner.model.roles import Opinion, Role


@dataclass(frozen=True, slots=True)
class BlockRole:
    """The role of one block, and what follows from it."""

    block: Block
    """The block; a ``command:`` link is a block in the language ``command-link``."""
    number: int
    """Which fence of the document it is, counted from 1; 0 for a link and for a hidden block."""
    role: Role
    reason: str
    """Why it has this role, in words, without a period."""
    rule: str
    """The name of the rule that decided; ``directive`` if the author did."""
    opinions: tuple[Opinion, ...] = ()
    """What all rules said that spoke, in their order; the first decided."""
    step: str | None = None
    """The id of the step that runs the block; ``None`` if none does."""
    needs: tuple[Need, ...] = ()
    """What it needs from the machine."""
    earlier: tuple[Need, ...] = ()
    """What it needs that an earlier block makes; each says which block, in :attr:`Need.made_by`."""
    file: str = ""
    """For ``file``: the path of the file as the lesson writes it; empty if unknown."""
    placeholders: tuple[str, ...] = ()
    """For ``placeholder``: the texts to fill in, as the block has them, such as ``<your-token>``."""
    group: str = ""
    """For one of several ways: the name of the choice."""
    option: str = ""
    """For one of several ways: the name of this way, unique in its group."""
    printed_by: int | None = None
    """For ``output``: the :attr:`number` of the block whose commands print it; ``None`` if unknown."""
