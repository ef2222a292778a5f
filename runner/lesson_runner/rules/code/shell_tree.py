"""Shell blocks as syntax trees; the rules about them share one parse."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lesson_runner.execute.console import commands
from lesson_runner.model import Lesson, Location
from lesson_runner.rules.code.blocks import SHELL, TERMINAL, Code, blocks
from lesson_runner.rules.code.transcripts import has_prompts, typed

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

LONGEST = 64_000
"""Characters of a block that are still parsed; nobody types in as much."""
LONGEST_WORD = 2000
"""Characters of a word, which may hold a whole script, that are looked at."""
PATIENCE = 0.25
"""Seconds of one parse: there are texts that take the parser quadratic time to recover from."""
PATIENCE_WITH_ALL = 1.0
"""Seconds of all parses of a lesson."""
PLACEHOLDER = re.compile(r"<[A-Za-z][\w./:|-]*(?: [\w./:|-]+){0,5}>(?![\w(])")
"""What a reader is to fill in: ``<your-token>``."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell block that could be parsed."""

    code: Code
    original: str
    """What a person would type, with its places kept."""
    source: str
    """What was parsed: the same, but for placeholders that are no syntax."""
    tree: Tree
    transcript: bool
    """True if the commands stand behind prompts."""
    judged: bool
    """False if nobody can tell which of its lines are commands."""

    def text(self, node: Node) -> str:
        """Return a node's text, or the beginning of a very long one."""
        end = min(node.end_byte, node.start_byte + LONGEST_WORD)
        return self.source[node.start_byte : end]

    def place(self, node: Node) -> Location:
        """Return where a node stands in the document."""
        return self.code.place(*node.start_point)


_latest: list[tuple[Lesson, tuple[Shell, ...]]] = []


def shells(lesson: Lesson) -> tuple[Shell, ...]:
    """Return the shell blocks of a lesson; asked again about the same lesson, without parsing again."""
    for known, found in _latest:
        if known is lesson:
            return found
    found = tuple(_parsed(lesson))
    _latest[:] = [(lesson, found)]
    return found


def walk(root: Node) -> Iterator[Node]:
    """Yield a node and everything in it, in the order of the text, whatever its depth."""
    cursor = root.walk()
    while cursor.node is not None:
        yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def parse(source: str, patience: float = PATIENCE) -> Tree | None:
    """
    Return the tree of a script, or ``None`` if it is too long, or takes too long.

    The tree counts in characters: for each that is not ASCII the parser gets a letter, which means the same
    to a shell. The grammar's scanner hands characters to C's ``isdigit`` and the like, and crashes on others.
    """
    if len(source) > LONGEST or "\0" in source:
        return None
    plain = _NOT_ASCII.sub("_", source).encode("ascii")
    parser = _parser()
    end = time.process_time() + patience
    try:
        return parser.parse(
            lambda offset, point: plain[offset : offset + 4096],  # noqa: ARG005
            progress_callback=lambda offset, failed: time.process_time() > end,  # noqa: ARG005
        )
    except ValueError:
        parser.reset()
        return None


def without_placeholders(source: str) -> str:
    """Return a script with a word in place of each placeholder; places stay."""
    return PLACEHOLDER.sub(lambda match: "X" * len(match[0]), source)


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _parsed(lesson: Lesson) -> Iterator[Shell]:
    end = time.process_time() + PATIENCE_WITH_ALL
    for code in blocks(lesson, SHELL, "shell"):
        original = commands(code.block.text) if code.run else code.block.text
        transcript = has_prompts(original)
        if transcript:
            original = typed(original)
        # To a shell a placeholder is a redirection; a block that a step runs had better have none.
        source = original if code.run else without_placeholders(original)
        tree = parse(source, min(PATIENCE, end - time.process_time()))
        if code.run and tree is not None and tree.root_node.has_error and PLACEHOLDER.search(source):
            source = without_placeholders(original)  # that is what another rule is about
            tree = parse(source, min(PATIENCE, end - time.process_time()))
        if tree is not None:
            judged = code.run or transcript or code.block.language not in TERMINAL
            yield Shell(code, original, source, tree, transcript, judged)
