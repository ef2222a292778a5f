"""The code blocks of a lesson, and how strictly each of them is checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lesson_runner.document.transcripts import runs_as
from lesson_runner.model import Block, Lesson, Location
from lesson_runner.validate.rules.fence_lines import inner_opening

ELLIPSES = ("...", "…")


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code."""

    block: Block
    run: bool
    """True if a step runs it unchanged; otherwise it may be a fragment that only shows something."""

    def place(self, line: int, column: int) -> Location:
        """Return the place in the document for a line and column of the block, both counted from 0."""
        start = self.block.location
        return Location(start.path, start.line + line, start.column + column)


def blocks(lesson: Lesson, languages: frozenset[str], action: str) -> Iterator[Code]:
    """
    Yield the blocks in some languages, including hidden ones; ``action`` is the one that runs them.

    A step's block without a language, or with Python's prompt, is in the language of what runs it.
    """
    run = {
        id(step.block): step.block
        for step in lesson.steps
        if step.kind == "step" and step.block is not None and step.uses in (None, action)
    }
    hidden = [step.block for step in lesson.steps if step.block is not None and step.block.hidden]
    for block in (*lesson.blocks, *hidden):
        # A fence within the block makes it something else than the author wrote; another rule reports that.
        runs = id(block) in run
        if runs_as(block) != action if runs else block.language not in languages:
            continue
        if inner_opening(lesson, block) is None:
            yield Code(block, runs)


def is_elided(line: str) -> bool:
    """Return whether a line shows that the author left something out."""
    return any(sign in line for sign in ELLIPSES)
