"""What a shell and Python wait for: is a command complete?"""

from __future__ import annotations

import ast
import codeop
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lesson_runner.document.bash import parse, unquoted, walk, without_placeholders
from lesson_runner.document.prompts import MORE, MORE_PYTHON
from lesson_runner.document.typed_lines import HereDocument

if TYPE_CHECKING:
    from tree_sitter import Tree

MOST_PARSED = 1_000_000
"""Upper limit for the characters that are parsed for one block; beyond it no command counts as complete."""
EACH = 200
"""What parsing costs apart from the length, in characters."""
_HERE_DOCUMENT = re.compile(r"(?<!<)<<-?[ \t]*('[^'\n]+'|\"[^\"\n]+\"|\\?[\w.-]+)")
_ENDS = re.compile(r"""['"`)}\]]|\b(?:fi|done|esac)\b""")
"""Text that can end a quote, a bracket or a compound command."""
_GOES_ON = re.compile(r"[\\|&]\s*$|#")
_ESCAPED_BLANK = re.compile(r"(?<!\\)((?:\\\\)*)\\[ \t]+$", re.MULTILINE)
"""A backslash before blanks at the end of a line, which is a word to bash, but an error to the parser."""
SOME = 8
"""Lines of a command that are all parsed; of later ones only those that can complete it, to save time."""


class ShellGrammar:
    """The commands that bash reads; see :class:`~lesson_runner.document.typed_lines.Grammar`."""

    more = MORE

    def __init__(self) -> None:
        self._parsed = 0

    def waits(self, lines: Sequence[str]) -> bool:
        """Return whether bash would wait for more lines, or cannot read these."""
        if len(lines) > SOME and not _ENDS.search(lines[-1]):
            before = next((line for line in lines[-2 : -SOME - 1 : -1] if line.strip()), "#")
            if not _GOES_ON.search(before):
                return True
        tree = self._tree(lines)
        return tree is None or tree.root_node.has_error

    def is_complete(self, lines: Sequence[str]) -> bool:  # noqa: ARG002  # bash never waits for one
        """Return ``False``: this is asked of lines for which bash waits."""
        return False

    def here_documents(self, lines: Sequence[str]) -> Sequence[HereDocument]:
        """Return the here-documents that the last of these lines begins, in order."""
        last = lines[-1]
        tree = self._tree(lines) if "<<" in last else None
        for node in walk(tree.root_node) if tree is not None else ():
            # In quotes and in arithmetic, `<<` begins no here-document.
            if node.type == "heredoc_start" and node.start_point[0] == len(lines) - 1:
                # In `$<<E` the parser takes `$` for the operator.
                begin = max(last.rfind("<<", 0, node.start_point[1]), 0)
                found = _HERE_DOCUMENT.finditer(last, begin)
                return [HereDocument(unquoted(match[1]), match.span()) for match in found]
        return ()

    def _tree(self, lines: Sequence[str]) -> Tree | None:
        """Return the tree of these lines; ``None`` if they are too long, or take too long."""
        self._parsed += EACH + len(lines) + sum(map(len, lines)) if self._parsed <= MOST_PARSED else 0
        if self._parsed > MOST_PARSED:
            return None
        return parse(without_placeholders(_ESCAPED_BLANK.sub(r"\1_", "\n".join(lines))))


class PythonGrammar:
    """The statements that Python reads; see :class:`~lesson_runner.document.typed_lines.Grammar`."""

    more = MORE_PYTHON

    def __init__(self) -> None:
        self._parsed = 0

    def waits(self, lines: Sequence[str]) -> bool:
        """Return whether Python would wait for more lines, as it does after the body of a loop."""
        return self._read(codeop.compile_command, lines) is None

    def is_complete(self, lines: Sequence[str]) -> bool:
        """Return whether these lines are whole statements."""
        return bool(self._read(ast.parse, lines))

    def here_documents(self, lines: Sequence[str]) -> Sequence[HereDocument]:  # noqa: ARG002
        """Return nothing: Python has no here-documents."""
        return ()

    def _read(self, reader: Callable[[str], object], lines: Sequence[str]) -> object:
        """Return what a reader returns; ``False`` if it fails, ``None`` if the lines are too long."""
        self._parsed += len(lines) + sum(map(len, lines)) if self._parsed <= MOST_PARSED else 0
        if self._parsed > MOST_PARSED:
            return None
        source = "\n".join(lines)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return reader(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
                return False
