"""The shell blocks of a lesson as syntax trees, parsed once for all rules."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from lesson_runner.document.bash import PLACEHOLDER, Script, parse, without_placeholders
from lesson_runner.document.languages import SHELL, TERMINAL
from lesson_runner.document.transcripts import Typed, typed_in
from lesson_runner.model import Lesson, Location
from lesson_runner.validate.rules.code.blocks import Code, blocks

PATIENCE = 0.25
"""Time limit for one block, in seconds of processor time."""
PATIENCE_WITH_ALL = 1.0
"""Time limit for all blocks of a lesson, in seconds of processor time."""


@dataclass(frozen=True, slots=True)
class Shell(Script):
    """A shell block that was parsed; its source is what is typed, with words instead of placeholders."""

    code: Code
    typed: Typed
    judged: bool
    """False if it is not clear which of its lines are commands."""

    def place(self, row: int, column: int) -> Location:
        """Return the place in the document for a row and column of the source, both counted from 0."""
        return self.code.place(row, self.typed.cut[row] + column)


_latest: list[tuple[Lesson, tuple[Shell, ...]]] = []


def shells(lesson: Lesson) -> tuple[Shell, ...]:
    """Return the shell blocks of a lesson; the last lesson's blocks are cached."""
    for known, found in _latest:
        if known is lesson:
            return found
    found = tuple(_parsed(lesson))
    _latest[:] = [(lesson, found)]
    return found


def _parsed(lesson: Lesson) -> Iterator[Shell]:
    end = time.process_time() + PATIENCE_WITH_ALL
    for code in blocks(lesson, SHELL, "shell"):
        typed = typed_in(code.block)
        # To a shell a placeholder is a redirection; a block that a step runs should not have placeholders.
        source = typed.text if code.run else without_placeholders(typed.text)
        tree = parse(source, min(PATIENCE, end - time.process_time()))
        if code.run and tree is not None and tree.root_node.has_error and PLACEHOLDER.search(source):
            source = without_placeholders(source)  # another rule reports the placeholder
            tree = parse(source, min(PATIENCE, end - time.process_time()))
        if tree is not None:
            judged = code.run or typed.transcript or code.block.language not in TERMINAL
            judged = judged and not typed.unclear
            yield Shell(source, tree, code, typed, judged)
