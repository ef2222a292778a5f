"""Modules made of trees of names, which say of every name they lack that it is not emulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..missing import NotEmulatedNameError, message

Tree = Mapping[str, Any]
"""A module's names; a value that is a `dict` becomes a module below it."""


_OURS = "ttml_emulation"


def merged(*trees: Tree) -> dict[str, Any]:
    """Return the trees as one; of a name that several have, the last one's counts."""
    names: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            below = names.get(key)
            names[key] = (
                merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
            )
    return names


def public(module: ModuleType, *names: str) -> dict[str, Any]:
    """Return those names of a module of ours."""
    return {name: getattr(module, name) for name in names}


def build(name: str, tree: Tree) -> dict[str, ModuleType]:
    """Return the module `name` and those below it, by full name; nothing is imported or registered."""
    module = ModuleType(name, f"`{name}`, emulated on PyTorch.")
    # Python takes a module with a path for a package, and a spec is what `importlib.util.find_spec` returns.
    module.__path__ = []
    module.__spec__ = ModuleSpec(name, loader=None, is_package=True)
    module.__getattr__ = _missing(module)  # type: ignore[method-assign]  # a module's own, which Python asks
    built = {name: module}
    for key, value in tree.items():
        if isinstance(value, dict):
            below = build(f"{name}.{key}", value)
            built |= below
            value = below[f"{name}.{key}"]
        setattr(module, key, value)
    return built


def _missing(module: ModuleType) -> Callable[[str], Any]:
    def __getattr__(name: str) -> Any:  # noqa: N807
        if name.startswith("__"):  # what Python itself asks for is no name of a board
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        raise NotEmulatedNameError(message(f"{module.__name__}.{name}"), name=name, obj=module)

    return __getattr__


def adopt(name: str, tree: Tree) -> None:
    """Make the classes in a tree say that they live there, so that what a script pickles names no emulation.

    A board then reads such a file, and the emulation a board's.
    """
    for key, value in tree.items():
        if isinstance(value, dict):
            adopt(f"{name}.{key}", value)
        elif isinstance(value, type) and (value.__module__.split(".")[0], value.__qualname__) == (_OURS, key):
            value.__module__ = name
