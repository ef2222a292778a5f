"""What a Python program changes on the machine, as far as it is written in its text."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator

from lesson_runner.roles.outside import is_outside

_LONGEST = 64_000
_WORTH_READING = re.compile(r"[\"'](?:/|~[a-z])|\b(?:system|popen|run|call|check_call|check_output|Popen)\(")
_RUNS = frozenset({"system", "popen", "run", "call", "check_call", "check_output", "Popen", "getoutput"})
_RUNNERS = frozenset({"os", "subprocess", "sp"})
_WRITES = frozenset(
    {
        *("makedirs", "mkdir", "rmdir", "removedirs", "remove", "unlink", "rmtree", "chmod", "chown"),
        *("truncate", "mkfifo", "write_text", "write_bytes", "touch"),
    }
)
"""Functions and methods that change the file that is their first argument, or the path before the dot."""
_TO_SECOND = frozenset({"copy", "copy2", "copyfile", "copytree", "move", "symlink", "link"})
_OWNERS = frozenset({"os", "shutil"})
_OPENS = re.compile(r"[wax+]")


def written_by(text: str) -> str:
    """Return a file of the machine that a Python program names and writes; empty if there is none."""
    return next((path for node in _calls(text) for path in _paths(node) if is_outside(path)), "")


def commands_of(text: str) -> Iterator[str]:
    """Yield the commands that a Python program starts, as shell text."""
    for node in _calls(text):
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr not in _RUNS or not node.args:
            continue
        if not isinstance(function.value, ast.Name) or function.value.id not in _RUNNERS:
            continue
        first = node.args[0]
        if isinstance(first, ast.List | ast.Tuple):
            words = [word for item in first.elts if (word := _text(item))]
            yield shlex.join(words)
        elif command := _text(first):
            yield command


def _calls(text: str) -> Iterator[ast.Call]:
    if len(text) > _LONGEST or not _WORTH_READING.search(text):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _paths(node: ast.Call) -> Iterator[str]:
    """Yield the paths that a call writes."""
    function, first = node.func, _text(node.args[0]) if node.args else ""
    if isinstance(function, ast.Name):
        if function.id == "rmtree" or (function.id == "open" and _opens_to_write(node, 1)):
            yield first
    elif isinstance(function, ast.Attribute):
        owner = function.value
        if isinstance(owner, ast.Name) and owner.id in _OWNERS:
            if function.attr in _WRITES:
                yield first
            elif function.attr in _TO_SECOND and len(node.args) > 1:
                yield _text(node.args[1])
        elif function.attr in _WRITES or (function.attr == "open" and _opens_to_write(node, 0)):
            yield _path(owner)


def _opens_to_write(node: ast.Call, at: int) -> bool:
    mode = next((item.value for item in node.keywords if item.arg == "mode"), None)
    given = mode if mode is not None else node.args[at] if len(node.args) > at else None
    return given is not None and _OPENS.search(_text(given)) is not None


def _path(node: ast.expr) -> str:
    """Return the path of ``Path("/srv")`` or ``Path("/srv") / "x"``; empty for others."""
    while isinstance(node, ast.BinOp):
        node = node.left
    is_path = isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    if not is_path or not isinstance(node, ast.Call) or not node.args:
        return ""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return _text(node.args[0]) if name == "Path" else ""


def _text(node: ast.expr) -> str:
    """Return the text of a literal, or how an f-string begins; empty for anything else."""
    if isinstance(node, ast.JoinedStr):
        return _text(node.values[0]) if node.values else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
