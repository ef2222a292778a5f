"""``docs/emulation.md``: which names of a board's libraries are emulated, and which of them tests use.

The modules that scripts import say whether a name is emulated. The syntax trees of the tests say whether it
is tested; no test is run for that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ttml_emulation import load
from ttml_emulation.board_names import names

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "emulation.md"
TESTS = ROOT / "tests" / "ttml_emulation"
BEGIN, END = "<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"


def emulated(module: ModuleType, symbol: str) -> bool:
    """Return whether `ttml.ops.x`, looked up in the module `ttml`, exists and does more than raise."""
    thing: Any = module
    for name in symbol.split(".")[1:]:
        if isinstance(thing, type) and name in getattr(thing, "__annotations__", {}):
            return True  # set when an object is made
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return _is_more_than_a_name(thing)


def _is_more_than_a_name(thing: Any) -> bool:
    if isinstance(thing, ModuleType):
        return any(_is_more_than_a_name(value) for key, value in vars(thing).items() if key[:2] != "__")
    return not getattr(thing, "not_emulated", False)


def uses(tests: Path) -> set[tuple[str, str]]:
    """Return the pairs (prefix, name) that tests in `tests`, and scripts inside them, use.

    `ttml.optimizers.AdamW`, `optimizers.AdamW`, `from ttml.optimizers import AdamW` and, after `o =
    ttml.optimizers`, `o.AdamW` all give ("optimizers", "AdamW"). `getattr(ttml.optimizers, name)` gives such
    a pair with every string in the same file. An attribute of anything also gives ("", name).
    """
    found: set[tuple[str, str]] = set()
    for path in sorted(tests.glob("*.py")):
        for tree in _trees(path.read_text("utf-8")):
            nodes = list(ast.walk(tree))
            aliases = dict(pair for node in nodes for pair in _aliases(node))
            texts = {node.value for node in nodes if isinstance(node, ast.Constant) and _is_name(node.value)}
            for node in nodes:
                found |= set(_used(node, aliases, texts))
    return found


def _trees(text: str) -> Iterator[ast.Module]:
    tree = ast.parse(text)
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "import " in node.value:
            try:
                yield ast.parse(node.value)
            except SyntaxError:
                continue


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _aliases(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the variables that an assignment sets, and the last name of the value of each."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        many = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
        targets = target.elts if many and isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if many and isinstance(node.value, ast.Tuple) else [node.value]
        for one, value in zip(targets, values, strict=False):
            if isinstance(one, ast.Name) and isinstance(value, ast.Attribute):
                yield one.id, value.attr


def _used(node: ast.AST, aliases: dict[str, str], texts: set[Any]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Attribute):
        yield "", node.attr
        yield from ((before, node.attr) for before in _before(node.value, aliases))
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from ((node.module.split(".")[-1], alias.name) for alias in node.names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        yield from ((before, text) for before in _before(node.args[0], aliases) for text in texts)


def _before(node: ast.AST, aliases: dict[str, str]) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [aliases.get(node.id, node.id)] if isinstance(node, ast.Name) else []


def named(used: set[tuple[str, str]], holder: str, name: str) -> bool:
    """Return whether a test names it after its module or, for an attribute of a class, after anything."""
    last = holder.split(".")[-1]
    return ("", name) in used if last[0].isupper() and last != "MemoryUsageTracker" else (last, name) in used


def text() -> str:
    """Return the whole page: its present text with an updated table."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def table(tests: Path = TESTS) -> str:
    """Return the table as Markdown."""
    ttml, ttnn = load()
    from ttml_emulation.namespaces import (  # after `load`, which prepares the process for PyTorch
        NATIVE,
        build,
    )

    trees = {"ttml": [ttml, build("_ttml", NATIVE)["_ttml"]], "ttnn": [ttnn]}
    used = uses(tests)
    rows = ["| where | emulated and named in a test | emulated | not emulated |", "|---|---|---|---|"]
    for holder, held in names().items():
        modules = trees[holder.split(".")[0]]
        there = [name for name in held if any(emulated(module, f"{holder}.{name}") for module in modules)]
        tested = [name for name in there if named(used, holder, name)]
        columns = tested, [n for n in there if n not in tested], [n for n in held if n not in there]
        cells = " | ".join(", ".join(f"`{name}`" for name in column) for column in columns)
        rows.append(f"| `{holder}` | {cells} |")
    return "\n".join(rows) + "\n"
