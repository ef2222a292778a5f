"""Find out whether a reader types the Python blocks of a lesson into one Python."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from lesson_runner.document.languages import PYTHON_SESSION
from lesson_runner.document.transcripts import typed_python
from lesson_runner.model import Block

LONGEST = 64_000
"""Characters; the names of a longer block are not looked for."""
_KNOWN = frozenset(dir(builtins)) | {"__file__", "__name__"}


def share_names(blocks: Iterable[Block]) -> bool:
    """Return whether one of several Python blocks shows a prompt, or uses a name of an earlier one."""
    earlier: set[str] = set()
    for block in blocks:
        source = typed_python(block.text, session=block.language in PYTHON_SESSION)
        if source.transcript:
            return True
        defined, used = _names(source.text)
        if earlier & (used - defined):
            return True
        earlier |= defined
    return False


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a program defines and those that it uses; none if Python cannot read it."""
    defined: set[str] = set()
    used: set[str] = set()
    try:
        tree = ast.parse(source if len(source) <= LONGEST else "")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return defined, used
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(item.asname or item.name).partition(".")[0] for item in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            defined.add(node.name)
    return defined, used - _KNOWN
