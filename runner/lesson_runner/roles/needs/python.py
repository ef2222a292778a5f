"""What a Python program needs, and what it makes, from its syntax tree."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from lesson_runner.roles.needs.urls import need_url
from lesson_runner.roles.needs.world import Found, World

LONGEST = 64_000
"""Upper limit for the characters of a program that is parsed."""
_FORGIVES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_WRITES = frozenset(
    {"save", "savefig", "to_csv", "to_json", "to_parquet", "makedirs", "mkdir", "write_image", "urlretrieve"}
)
_READS = frozenset({"read_csv", "read_json", "read_parquet", "read_excel", "imread", "loadtxt"})
_FETCH = frozenset({"get", "post", "put", "patch", "delete", "head", "urlopen", "urlretrieve", "request"})


def read_python(source: str, world: World, found: Found) -> None:
    """Note what a program needs, and what it makes in the world; nothing if it does not parse."""
    if len(source) > LONGEST:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(_MAGIC.sub("", source))
        except (SyntaxError, ValueError, MemoryError, OverflowError):
            return
    for node in _certain(tree.body):
        if isinstance(node, ast.Import):
            for name in node.names:
                world.need_module(name.name, found)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            world.need_module(node.module, found)
        elif isinstance(node, ast.Call):
            _call(node, world, found)
        elif isinstance(node, ast.Subscript) and _is_environ(node.value):
            variable = _text(node.slice)
            if variable and isinstance(node.ctx, ast.Load):
                world.need_variable(variable, found)
            elif variable:
                world.variables.setdefault(variable, world.block)


def _certain(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes that a program certainly reaches: not those in functions and branches."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.Match):
            continue
        if isinstance(statement, ast.ClassDef):
            yield from _expressions(statement.bases)
        elif isinstance(statement, ast.If):
            yield from _certain(statement.body if _is_main(statement.test) else ())
        elif isinstance(statement, ast.Try):
            if not any(map(_forgives, statement.handlers)):
                yield from _certain(statement.body)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            yield from _expressions(item.context_expr for item in statement.items)
            yield from _certain(statement.body)
        elif isinstance(statement, ast.For):
            yield from _expressions([statement.iter])
            yield from _certain(statement.body)
        elif isinstance(statement, ast.While):
            yield from _certain(statement.body)
        else:
            yield from _expressions([statement])


def _expressions(roots: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for root in roots:
        yield from (node for node in ast.walk(root) if not isinstance(root, ast.Lambda))


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _forgives(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler catches that a module is missing."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _FORGIVES for kind in kinds)


def _is_environ(node: ast.expr) -> bool:
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) == "environ"


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _call(node: ast.Call, world: World, found: Found) -> None:
    """Note the files, hosts and servers that are in the arguments of a call."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first = _text(node.args[0]) if node.args else ""
    if name == "open" and isinstance(function, ast.Name) and first:
        mode = _text(node.args[1]) if len(node.args) > 1 else ""
        mode = next((_text(item.value) for item in node.keywords if item.arg == "mode"), mode)
        _file(first, world, found, writes=bool(set(mode) & set("wax")))
    elif name in ("write_text", "write_bytes", "mkdir", "touch", "read_text", "read_bytes"):
        owner = function.value if isinstance(function, ast.Attribute) else None
        if isinstance(owner, ast.Call) and owner.args and (path := _text(owner.args[0])):
            _file(path, world, found, writes=not name.startswith("read"))
    elif name in _READS and first and "://" not in first:
        _file(first, world, found, writes=False)
    elif name in ("setdefault", "update") and _is_environ(getattr(function, "value", function)):
        world.variables.setdefault(first, world.block)
    elif name == "chdir":
        world.folder = None
    if name in _WRITES:
        for value in node.args:
            if (path := _text(value)) and "://" not in path:
                world.make(path)
    for value in (
        *node.args[:1],
        *(item.value for item in node.keywords if (item.arg or "").endswith("url")),
    ):
        if "://" in (text := _text(value)) and (name in _FETCH or value not in node.args):
            need_url(text, world, found)


def _file(path: str, world: World, found: Found, *, writes: bool) -> None:
    if writes:
        world.make(path)
    else:
        world.need_file(path, found)
