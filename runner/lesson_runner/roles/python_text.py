"""What a Python block defines, uses and does, from its syntax tree."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_LONGEST = 64_000
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
            compile(tree, "block", "exec", dont_inherit=True)  # also sees 'return' and 'await' out of place
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PythonText()
    found = _Found()
    found.read(tree)
    asserts = any(isinstance(statement, ast.Assert) for statement in tree.body)
    return PythonText(
        is_python=True,
        defined=frozenset(found.defined),
        missing=frozenset() if "*" in found.defined else frozenset(found.used - found.defined - _KNOWN),
        called=frozenset(found.called),
        acts=found.acts,
        shows=(found.acts and not found.called.isdisjoint(_SHOWS)) or asserts or _ends_in_value(tree),
        is_complete=(found.acts or asserts) and not found.left_out,
    )


def _ends_in_value(tree: ast.Module) -> bool:
    """Return whether a notebook shows the last statement, such as ``frame.head()``, and imports are above."""
    last = tree.body[-1].value if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    imports = any(isinstance(statement, ast.Import | ast.ImportFrom) for statement in tree.body)
    return last is not None and not isinstance(last, ast.Constant) and imports


@dataclass(slots=True)
class _Found:
    """What one pass over a syntax tree finds."""

    defined: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    acts: bool = False
    left_out: bool = False

    def read(self, tree: ast.Module) -> None:
        """Read all nodes, in no particular order; ``waiting`` says of each if it is in a definition."""
        waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
        while waiting:
            node, inside = waiting.pop()
            kind = type(node)
            if kind is ast.Name:
                self._name(node)
                continue
            if kind in _DEFINITIONS:
                self.defined.add(node.name)  # type: ignore[attr-defined]  # _DEFINITIONS holds functions and classes
                inside = True
            elif kind is ast.Call:
                self.called.add(_last(node.func))  # type: ignore[attr-defined]  # mypy does not narrow by `kind is`
                self.acts = self.acts or not inside
            elif kind in _NAMING:
                self._naming(node)
            if kind in _MAY_LEAVE_OUT and _is_left_out(node):
                self.left_out = True
            waiting += [(child, inside) for child in _children(node)]

    def _name(self, node: Any) -> None:
        (self.used if type(node.ctx) is ast.Load else self.defined).add(node.id)

    def _naming(self, node: Any) -> None:
        if isinstance(node, ast.alias):
            self.defined.add((node.asname or node.name).split(".")[0])
        elif name := node.arg if isinstance(node, ast.arg) else node.name:
            self.defined.add(name)


_SAYS = frozenset({"print", "write", "append", "split", "join", "strip", "startswith", "endswith", "count"})
"""Functions for which the text ``"..."`` is just a text."""
_DEFINITIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_NAMING = frozenset({ast.alias, ast.arg, ast.ExceptHandler, ast.MatchAs, ast.MatchStar})
_WITH_BODY = (ast.Module, ast.For, ast.While, ast.With, ast.If, ast.FunctionDef, ast.AsyncWith, ast.AsyncFor)
_MAY_LEAVE_OUT = frozenset({ast.Call, ast.List, ast.Tuple, ast.Set, ast.Assign, *_WITH_BODY})


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            yield value


def _last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_left_out(node: Any) -> bool:
    """Return whether ``...`` stands for something: an argument, an item, or a statement outside of stubs."""
    parts: list[ast.expr]
    if isinstance(node, ast.Call):
        parts = node.args
        only = node.args[0] if len(node.args) == 1 else None
        if isinstance(only, ast.Constant) and only.value == "..." and _last(node.func) not in _SAYS:
            return True
    elif isinstance(node, ast.Assign):
        parts = [node.value]
    elif isinstance(node, _WITH_BODY):
        parts = [item.value for item in node.body if isinstance(item, ast.Expr)]
    else:
        parts = node.elts
    return any(isinstance(part, ast.Constant) and part.value is ... for part in parts)
