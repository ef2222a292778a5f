"""Errors for names that exist on a board but are not emulated. Each message has the name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

WHERE = "see docs/emulation.md"


class NotEmulatedError(Exception):
    """Part of `ttml` or `ttnn` is not emulated."""


class NotEmulatedNameError(NotEmulatedError, AttributeError):
    """An emulated module lacks this name. It is an AttributeError, so that `hasattr` returns False."""


class NotEmulatedModuleError(NotEmulatedError, ModuleNotFoundError):
    """A module is not emulated.

    Its `name` stays None. If it were set, `from ttml import x` would hide this error and raise `cannot import
    name`, which looks like a mistake in the script.
    """


class NotEmulatedCallError(NotEmulatedError, NotImplementedError):
    """A function or class only exists so that scripts can import it, or does not support these arguments."""


class Partial:
    """A partly emulated class: missing attributes raise NotEmulatedNameError. `_symbol` is its name."""

    __slots__ = ()
    _symbol: ClassVar[str]

    if not TYPE_CHECKING:  # for a type checker, every attribute would exist

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise NotEmulatedNameError(message(f"{self._symbol}.{name}"), name=name, obj=self)


def message(symbol: str) -> str:
    """Return the message of every such error."""
    return f"{symbol} is not emulated ({WHERE})"


def absent_class(module: str, name: str) -> type:
    """Return a class for imports and annotations only; creating an instance raises NotEmulatedCallError."""
    symbol = f"{module}.{name}"

    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: ARG001, N807
        raise NotEmulatedCallError(message(symbol))

    return type(name, (), {"__init__": __init__, "__doc__": message(symbol), "not_emulated": True})
