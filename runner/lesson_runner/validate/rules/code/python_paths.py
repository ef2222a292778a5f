"""The strings of a Python block that may be paths."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lesson_runner.validate.rules.code.python_tree import Python

_ROUTES = frozenset({"get", "post", "put", "patch", "delete", "route", "print", "info", "debug", "warning"})
"""Names of Python functions whose words are routes of a web server, or are only shown."""


def path_texts(python: Python) -> Iterator[tuple[ast.expr, str]]:
    """Yield the strings of a block that may be paths, with the beginning of their text."""
    if python.tree is None:
        return
    shown: set[int] = set()
    for node in ast.walk(python.tree):
        if id(node) in shown:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            shown |= {id(part) for decorator in node.decorator_list for part in ast.walk(decorator)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            shown.add(id(node.value))  # a docstring
        elif isinstance(node, ast.Call) and called(node) in _ROUTES:
            shown |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Constant | ast.JoinedStr) and (text := text_of(node)):
            shown |= {id(part) for part in ast.walk(node)}
            yield node, text


def text_of(node: ast.expr) -> str:
    """Return the text of a string, or the text that an f-string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def called(call: ast.Call) -> str:
    """Return the name of the function or method that is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
