"""Build modules from trees of names; missing names raise NotEmulatedNameError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..missing import NotEmulatedNameError, message

Tree = Mapping[str, Any]
"""The names of a module; a value that is a `dict` becomes a submodule."""


_OURS = "ttml_emulation"


def merged(*trees: Tree) -> dict[str, Any]:
    """Merge trees; if several have a name, the last one takes precedence."""
    names: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            below = names.get(key)
            names[key] = (
                merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
            )
    return names


def public(module: ModuleType, *names: str) -> dict[str, Any]:
    """Return these names of a module, with their values."""
    return {name: getattr(module, name) for name in names}


def build(name: str, tree: Tree) -> dict[str, ModuleType]:
    """Return the module `name` and its submodules by full name; nothing is imported or registered."""
    module = ModuleType(name, f"`{name}`, emulated on PyTorch.")
    # A module with a path is a package, and `importlib.util.find_spec` returns the spec.
    module.__path__ = []
    module.__spec__ = ModuleSpec(name, loader=None, is_package=True)
    module.__getattr__ = _missing(module)  # type: ignore[method-assign]  # a module's own hook, PEP 562
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
        if name.startswith("__"):  # looked up by Python itself
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        raise NotEmulatedNameError(message(f"{module.__name__}.{name}"), name=name, obj=module)

    return __getattr__


def adopt(name: str, tree: Tree) -> None:
    """Set the module of the classes in a tree, so that pickles do not refer to the emulation.

    A board can then read such a file, and the emulation can read a board's.
    """
    for key, value in tree.items():
        if isinstance(value, dict):
            adopt(f"{name}.{key}", value)
        elif isinstance(value, type) and (value.__module__.split(".")[0], value.__qualname__) == (_OURS, key):
            value.__module__ = name
