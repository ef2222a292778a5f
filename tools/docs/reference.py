"""``docs/plugin-reference.md``: the public names of the plugin API and their fields, from docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

from lesson_runner import model
from lesson_runner.model import sections
from lesson_runner.plugins import hookspecs

PAGE = Path(__file__).parents[2] / "docs" / "plugin-reference.md"
MODULES = {
    "lesson_runner.plugins": ("The names that most plugins use.", None),
    "lesson_runner.model.sections": (
        "Sections of a report, for `lesson_report_sections`.",
        ("Texts", "Passage", "Table", "Series", "Line"),
    ),
    "lesson_runner.document.shell": (
        "The commands of a shell block, for `lesson_interpret_block`.",
        ("ShellCommand", "shell_commands"),
    ),
    "lesson_runner.plugins.checks": (
        "Running checks, for actions that run those of `lesson_checks`.",
        ("run_checks", "checks_table", "finding_data", "Completed"),
    ),
    "lesson_runner.cli.commands": (
        "Commands of `lesson`, for `lesson_add_commands`.",
        ("add_lazy_command", "say", "say_json"),
    ),
}
"""The public modules: the purpose of each, and its public names (``None``: those in ``__all__``)."""
_HEAD = """\
# Plugin reference

The public names of the plugin API, with their fields. [Plugins](plugins.md) and [hooks](hooks.md) show how to
use them; this page is generated from the docstrings. Plugins create the objects marked *made by plugins*; the
runner creates the others. Times are in seconds, sizes in bytes, and lines and columns count from 1, unless a
field says otherwise.
"""


def text() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_contents()])


def public() -> dict[str, dict[str, Any]]:
    """Return the public names of each module with their objects."""
    found = {}
    for name, (_, names) in MODULES.items():
        module = import_module(name)
        found[name] = {item: getattr(module, item) for item in names or module.__all__}
    return found


def _contents() -> Iterator[str]:
    named = {name: thing for names in public().values() for name, thing in names.items()}
    made = made_by_plugins(named)
    for module, things in public().items():
        yield f"## `{module}`\n\n{MODULES[module][0]}\n"
        yield ", ".join(f"[`{name}`](#{name.lower()})" for name in things) + "\n"
        for name, thing in things.items():
            yield from _about(name, thing, made=name in made)
    yield "## Types of fields\n\nThese types are in the fields above; plugins need not import them.\n"
    for name, thing in inner_types(named).items():
        yield from _about(name, thing, made=False)


def _about(name: str, thing: Any, *, made: bool) -> Iterator[str]:
    yield f"### `{name}`{' (made by plugins)' if made else ''}\n"
    if not inspect.isclass(thing):
        function = inspect.unwrap(thing) if callable(thing) else thing  # a cache may be around it
        yield _function(function) if inspect.isfunction(function) else f"{documented(name)}\n"
        return
    about, attributes = split_docstring(inspect.getdoc(thing) or "")
    yield f"{about}\n"
    yield from _fields(thing, attributes, defaults=made)
    yield from _methods(thing)


def inner_types(named: Mapping[str, Any]) -> dict[str, type]:
    """Return the types, by name, that are not public but are used in fields of public types."""
    found: dict[str, type] = {}
    waiting = [kind for kind in named.values() if dataclasses.is_dataclass(kind)]
    while waiting:
        words = re.findall(r"\w+", " ".join(str(item.type) for item in dataclasses.fields(waiting.pop())))
        for name in words:
            kind = getattr(model, name, None)
            if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and name not in {*named, *found}:
                found[name] = kind
                waiting.append(kind)
    return dict(sorted(found.items()))


def _function(function: Any) -> str:
    about = split_docstring(inspect.getdoc(function) or "")[0]
    return f"`{function.__name__}{_signature(function)}`\n\n{about}\n"


def _fields(kind: type, attributes: Mapping[str, str], *, defaults: bool) -> Iterator[str]:
    """Yield a table of the fields; ``defaults`` adds a column for types that plugins create."""
    if not dataclasses.is_dataclass(kind):
        return
    descriptions = {**field_docstrings(kind), **attributes}
    yield (
        "| field | type | default | |\n|---|---|---|---|" if defaults else "| field | type | |\n|---|---|---|"
    )
    for item in dataclasses.fields(kind):
        if item.init and not item.name.startswith("_"):
            cells = [f"`{item.name}`", f"`{item.type}`", *([_default(item)] if defaults else [])]
            words = descriptions.get(item.name, "")
            cells.append(words[:1].upper() + words[1:])
            yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _default(item: dataclasses.Field[Any]) -> str:
    if item.default is not dataclasses.MISSING:
        return f"`{item.default!r}`"
    if item.default_factory is dataclasses.MISSING:
        return "required"
    made = item.default_factory()
    return f"`{made!r}`" if isinstance(made, dict | list) and len(repr(made)) < 40 else "computed"


def _methods(kind: type) -> Iterator[str]:
    rows = []
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        shown = name if isinstance(member, property) else f"{name}{_signature(function)}"
        about = split_docstring(inspect.getdoc(function) or "")[0]
        rows.append(f"| `{_cell(shown)}` | {_cell(about)} |")
    if rows:
        yield from ("| method | |\n|---|---|", *rows, "")


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shown = [
        item.replace(annotation=_Verbatim(item.annotation)) if item.annotation is not item.empty else item
        for item in signature.parameters.values()
        if item.name != "self"
    ]
    return str(signature.replace(parameters=shown, return_annotation=_Verbatim(signature.return_annotation)))


class _Verbatim(str):
    """An annotation that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def split_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring, as Markdown, and its ``Attributes:`` by name."""
    about, *sections = re.split(r"^(Attributes|Args|Returns|Yields|Raises):\n", docstring, flags=re.MULTILINE)
    body = dict(zip(sections[::2], sections[1::2], strict=True)).get("Attributes", "")
    found = re.findall(r"^ {4}(\w+): ((?:.+\n?)(?: {8,}.*\n?)*)", body, re.MULTILINE)
    return _markdown(about), {name: _markdown(words) for name, words in found}


def field_docstrings(kind: type) -> dict[str, str]:
    """Return the docstrings below the fields of a class, by the field's name."""
    (tree,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return dict(_strings_below(tree.body))


def documented(name: str) -> str:
    """Return the docstring below a name that is neither a class nor a function, such as ``Json``."""
    modules = [import_module(module) for module in ("lesson_runner.plugins", "lesson_runner.model.document")]
    for module in modules:
        for target, words in _strings_below(ast.parse(inspect.getsource(module)).body):
            if target == name:
                return words
    return ""


def _strings_below(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield each assigned name that is followed by a docstring, with the docstring."""
    for node, below in pairwise(body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = below.value if isinstance(below, ast.Expr) else None
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield target.id, _markdown(value.value)


def made_by_plugins(named: Mapping[str, Any]) -> set[str]:
    """Return the names of the types that hooks return, and of the types in their fields."""
    hooks = [hook for name, hook in vars(hookspecs).items() if name.startswith("lesson_")]
    annotations = [str(inspect.signature(hook).return_annotation) for hook in hooks]
    annotations.append(str(sections.Section))  # one of the annotations names this union
    found: set[str] = set()
    while annotations:
        # The arguments of a callback are created by its caller.
        made = re.sub(r"Callable\[\[[^\]]*\]", "", " ".join(annotations))
        names = {name for name in re.findall(r"\w+", made) if name in named} - found
        found |= names
        kinds = [kind for name in names if dataclasses.is_dataclass(kind := named[name])]
        annotations = [str(item.type) for kind in kinds for item in dataclasses.fields(kind)]
    return found


def _markdown(words: str) -> str:
    """Return a docstring as Markdown, with single backquotes for Sphinx roles and double backquotes."""
    words = inspect.cleandoc(words)
    words = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", words).replace("``", "`")
    return re.sub(r"(?<!\n)\n(?![\n-])", " ", words).strip()


def _cell(words: str) -> str:
    return re.sub(r"\s+", " ", words).replace("|", "\\|")
