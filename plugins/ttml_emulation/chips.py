"""Values with one part per chip of a mesh, and a decorator that runs an operation on every chip.

All operations are written for one chip. `on_every_chip` extends them to values of a mesh: the operation runs
once for each chip, on that chip's part, and the results form a value of the mesh.

Every chip of an emulated mesh has its own parameters, activations, gradients and optimizer state. They are
only combined where a script does so, in an all-reduce or on the host. An emulated mesh is not parallel: the
chips take turns on one processor, so the time of a step does not show how training scales.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .missing import Partial

_Own = TypeVar("_Own", bound="OnChips")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_spread = False  # whether any value was ever put on several chips; if not, `on_every_chip` has nothing to do


class OnChips(Partial):
    """A value on one chip, or on every chip of a mesh.

    On a mesh, `chips` has an object of the same class for each chip, in row-major order, and no other
    attribute is set. On one chip, `chips` is empty.
    """

    __slots__ = ("chips",)

    chips: tuple[Any, ...]

    @property
    def parts(self: _Own) -> tuple[_Own, ...]:
        """The part of each chip; on one chip, this object itself."""
        return self.chips or (self,)

    @classmethod
    def joined(cls: type[_Own], chips: Sequence[_Own]) -> _Own:
        """Return one value with these parts; for one chip, return its part."""
        if len(chips) == 1:
            return chips[0]
        global _spread
        _spread = True
        whole = cls.__new__(cls)
        whole.chips = tuple(chips)
        return whole


def on_every_chip(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Make `function`, which is written for one chip, run on every chip of its arguments.

    A result that is not a tensor, such as a shape, is taken from the first chip. Raises RuntimeError if the
    arguments are on different numbers of chips.
    """

    @wraps(function)
    def on_mesh(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        if not _spread:
            return function(*args, **kwargs)
        values = [value for value in (*args, *kwargs.values()) if isinstance(value, OnChips)]
        counts = sorted({len(value.parts) for value in values})
        if counts in ([], [1]):
            return function(*args, **kwargs)
        if len(counts) > 1:
            raise RuntimeError(
                f"{function.__name__}: cannot combine tensors on {counts[0]} and on {counts[-1]} chips; "
                "create all tensors after opening the mesh"
            )
        results = []
        for chip in range(counts[0]):
            mine = [_of(value, chip) for value in args]
            named = {name: _of(value, chip) for name, value in kwargs.items()}
            results.append(function(*mine, **named))  # type: ignore[arg-type]  # _of() keeps the type, but is declared with object
        joined: _Result = _join(results)
        return joined

    return on_mesh


def _of(value: object, chip: int) -> object:
    return value.chips[chip] if isinstance(value, OnChips) else value


def _join(results: Sequence[Any]) -> Any:
    first = results[0]
    if isinstance(first, OnChips):
        return type(first).joined(results)
    if isinstance(first, tuple):
        return tuple(_join(part) for part in zip(*results, strict=True))
    return first
