"""What a Python block defines, uses and does, from its syntax tree."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_LONGEST = 64_000
_MOST_NODES = 50_000
_KNOWN = frozenset(dir(builtins)) | {"__file__", "__name__", "display", "get_ipython"}
_SHOWS = frozenset({"print", "display", "pprint", "show", "savefig", "save", "run", "main", "write", "dump"})


@dataclass(frozen=True, slots=True)
class PythonText:
    """What a Python text says."""

    is_python: bool = False
    """False if it has a syntax error, or is too long."""
    defined: frozenset[str] = frozenset()
    """The names that it assigns, imports or defines, anywhere."""
    missing: frozenset[str] = frozenset()
    """The names that it uses, and nothing in it defines."""
    called: frozenset[str] = frozenset()
    """The last parts of the names that it calls, at any depth: ``run`` of ``app.run()``."""
    acts: bool = False
    """True if a statement outside of functions and classes calls something."""
    shows: bool = False
    """True if it acts, and prints, plots, saves or tests something."""
    is_complete: bool = False
    """True if nothing is left out with ``...``, and it does something when it runs as a program."""


def read_python(text: str) -> PythonText:
    """Return what a Python text says; if it has a syntax error, only that."""
    if len(text) > _LONGEST:
        return PythonText()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        nodes = list(islice(ast.walk(tree), _MOST_NODES))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PythonText()
    defined, used = (
        set(_defined(nodes)),
        {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)},
    )
    star = "*" in defined
    top = [
        node
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    ]
    acts = bool(top)
    called = frozenset(_last(node.func) for node in nodes if isinstance(node, ast.Call))
    left_out = any(_is_left_out(node) for node in nodes)
    asserts = any(isinstance(statement, ast.Assert) for statement in tree.body)
    return PythonText(
        is_python=True,
        defined=frozenset(defined),
        missing=frozenset() if star else frozenset(used - defined - _KNOWN),
        called=called,
        acts=acts,
        shows=(acts and not called.isdisjoint(_SHOWS)) or asserts,
        is_complete=(acts or asserts) and not left_out,
    )


def _defined(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif (isinstance(node, ast.ExceptHandler) and node.name) or (
            isinstance(node, ast.MatchAs | ast.MatchStar) and node.name
        ):
            yield node.name


def _last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_left_out(node: ast.AST) -> bool:
    """Return whether ``...`` stands for something: an argument, an item, or a statement outside of stubs."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call):
        parts = node.args
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = node.elts
    elif isinstance(node, ast.Assign):
        parts = [node.value]
    elif isinstance(node, ast.Module | ast.For | ast.While | ast.With | ast.If | ast.FunctionDef):
        parts = [item.value for item in node.body if isinstance(item, ast.Expr)]
    return any(isinstance(part, ast.Constant) and part.value is ... for part in parts)
