"""The errors for what a board has and the emulation has not. Each names the symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

WHERE = "see docs/emulation.md"


class NotEmulatedError(Exception):
    """Something of `ttml` or `ttnn` that is not emulated."""


class NotEmulatedNameError(NotEmulatedError, AttributeError):
    """A name that an emulated module has not; an AttributeError, so that `hasattr` answers False."""


class NotEmulatedModuleError(NotEmulatedError, ModuleNotFoundError):
    """A module that is not emulated.

    Its `name` stays None: `from ttml import x` hides a ModuleNotFoundError that carries the name it looked
    for, and then says `cannot import name`, which could as well be a mistake in the script.
    """


class NotEmulatedCallError(NotEmulatedError, NotImplementedError):
    """A call of what exists by name only, so that scripts can import it, or in a way that is not emulated."""


class Partial:
    """A class of which the emulation has a part; asked for the rest, it says so. `_symbol` is its name."""

    __slots__ = ()
    _symbol: ClassVar[str]

    if not TYPE_CHECKING:  # to a type checker this would mean that every attribute exists

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            raise NotEmulatedNameError(message(f"{self._symbol}.{name}"), name=name, obj=self)


def message(symbol: str) -> str:
    """Return the sentence that every such error says."""
    return f"{symbol} is not emulated ({WHERE})"


def absent_class(module: str, name: str) -> type:
    """Return a class that scripts may import and annotate with; making one raises NotEmulatedCallError."""
    symbol = f"{module}.{name}"

    def __init__(self: object, *args: object, **kwargs: object) -> None:  # noqa: ARG001, N807
        raise NotEmulatedCallError(message(symbol))

    return type(name, (), {"__init__": __init__, "__doc__": message(symbol), "not_emulated": True})
