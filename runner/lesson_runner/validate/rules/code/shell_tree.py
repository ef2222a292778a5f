"""The shell blocks of a lesson as syntax trees, parsed once for all rules."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.document.bash import PLACEHOLDER, Script, parse, without_placeholders
from lesson_runner.document.languages import SHELL, TERMINAL
from lesson_runner.document.transcripts import Typed, typed_in
from lesson_runner.model import Lesson, Location
from lesson_runner.validate.rules.code.blocks import Code, blocks

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

PATIENCE = 0.25
"""Time limit for one block, in seconds of processor time."""
PATIENCE_WITH_ALL = 1.0
"""Time limit for all blocks of a lesson, in seconds of processor time."""

LITERAL = frozenset({"comment", "string", "raw_string", "ansi_c_string", "heredoc_body", "regex"})
"""Nodes of text that the shell does not read as commands."""


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

    def place_of(self, offset: int) -> Location:
        """Return the place in the document for an offset in the source."""
        start = self.source.rfind("\n", 0, offset) + 1
        return self.place(self.source.count("\n", 0, offset), offset - start)

    def word_at(self, offset: int) -> tuple[int, str]:
        """Return where the word around an offset begins, and the word, as it is typed."""
        text = self.typed.text
        begin = max(text.rfind(sign, 0, offset) for sign in " \t\n\"'") + 1
        return begin, re.split(r"[\s\"']", text[begin:], maxsplit=1)[0]

    def bare(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield the matches in what is typed that are not in quotes, comments or here-documents."""
        for match in pattern.finditer(self.typed.text):
            if above(self.tree, *match.span(), LITERAL) is None:
                yield match


def above(tree: Tree, start: int, end: int, types: Collection[str]) -> Node | None:
    """Return the smallest node of one of these types that contains a piece of a script."""
    node: Node | None = tree.root_node.descendant_for_byte_range(start, end)
    while node is not None and node.type not in types:
        node = node.parent
    return node


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
