"""Parse shell scripts with tree-sitter, which is imported when it is first used."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

LONGEST = 64_000
"""Upper limit for the characters of a block that is parsed; nobody types in that much."""
LONGEST_WORD = 2000
"""Upper limit for the characters of a word that rules check; a word may contain a whole script."""
PLACEHOLDER = re.compile(r"<[A-Za-z][\w./:|-]*(?: [\w./:|-]+){0,5}>(?![\w(])")
"""Text for the reader to replace, such as ``<your-token>``."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\\n|\\(.)""", re.DOTALL)
_ESCAPED = re.compile(r'\\(?:\n|(["\\$`]))')


@dataclass(frozen=True, slots=True)
class Script:
    """A script and its syntax tree; the tree's byte offsets are character offsets in the source."""

    source: str
    tree: Tree

    def text(self, node: Node) -> str:
        """Return a node's text, or the beginning of a very long one."""
        end = min(node.end_byte, node.start_byte + LONGEST_WORD)
        return self.source[node.start_byte : end]


def parse(source: str, patience: float | None = None) -> Tree | None:
    """
    Return the tree of a script, or ``None`` if it is too long, or takes too long.

    For some texts, error recovery takes quadratic time.

    The tree counts in characters, because each character that is not ASCII is replaced by ``_``, which is the
    same to a shell. The grammar's scanner calls C functions such as ``isdigit``, and crashes on others.

    Args:
        patience: the time limit, in seconds of processor time; by default a few times what a script of this
            length needs.
    """
    if len(source) > LONGEST or "\0" in source:
        return None
    plain = _NOT_ASCII.sub("_", source).encode("ascii")
    parser = _parser()
    end = time.process_time() + (0.02 + 2e-6 * len(source) if patience is None else patience)
    try:
        return parser.parse(
            lambda offset, point: plain[offset : offset + 4096],  # noqa: ARG005
            progress_callback=lambda offset, failed: time.process_time() > end,  # noqa: ARG005
        )
    except ValueError:
        parser.reset()
        return None


def walk(root: Node) -> Iterator[Node]:
    """Yield a node and all its descendants, in the order of the text, at any depth."""
    cursor = root.walk()
    while cursor.node is not None:
        yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def without_placeholders(source: str) -> str:
    """Return a script in which a word of the same length replaces each placeholder."""
    return PLACEHOLDER.sub(lambda match: "X" * len(match[0]), source)


def unquoted(word: str) -> str:
    """Return a word without quotes and backslashes; ``$`` and ``~`` are not expanded."""

    def meaning(match: re.Match[str]) -> str:
        if match[2] is not None:
            return _ESCAPED.sub(lambda escaped: escaped[1] or "", match[2])
        return match[1] or match[3] or ""

    return _QUOTED.sub(meaning, word)


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))
