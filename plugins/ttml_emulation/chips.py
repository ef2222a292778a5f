"""One value for each chip of a mesh, and the one place where an operation reaches all of them.

Everything that computes is written for one chip. `on_every_chip` lets it take values of a mesh as well: it
runs once for each chip, on what that chip holds, and the results are again one value of the mesh.

What an emulated mesh is: every chip has parameters, activations, gradients and optimizer state of its own,
and they meet only where a script makes them meet, in an all-reduce or on the host. What it is not: parallel.
The chips take turns on one processor, so the time of a step says nothing about how training scales.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .missing import Partial

_Own = TypeVar("_Own", bound="OnChips")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_spread = False  # whether anything was ever put on several chips: a process with one chip looks no further


class OnChips(Partial):
    """What lives on one chip, or on every chip of a mesh.

    On a mesh, `chips` holds an object of the same class for each chip, in the mesh's order (row by row), and
    nothing else of the whole is set. On one chip it is empty.
    """

    __slots__ = ("chips",)

    chips: tuple[Any, ...]

    @property
    def parts(self: _Own) -> tuple[_Own, ...]:
        """What each chip holds: this object itself where there is one chip."""
        return self.chips or (self,)

    @classmethod
    def joined(cls: type[_Own], chips: Sequence[_Own]) -> _Own:
        """Return what the chips of a mesh hold as one; with one chip, what that chip holds."""
        if len(chips) == 1:
            return chips[0]
        global _spread
        _spread = True
        whole = cls.__new__(cls)
        whole.chips = tuple(chips)
        return whole


def on_every_chip(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Make `function`, which is written for one chip, one that runs on every chip of its arguments' mesh.

    A result that is no tensor, such as a shape, is the first chip's. Raises RuntimeError if the arguments are
    not all of one mesh.
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
                f"{function.__name__}: tensors on {counts[0]} and on {counts[-1]} chips do not go together; "
                "make every tensor after the mesh was opened"
            )
        results = []
        for chip in range(counts[0]):
            mine = [_of(value, chip) for value in args]
            named = {name: _of(value, chip) for name, value in kwargs.items()}
            results.append(function(*mine, **named))  # type: ignore[arg-type]  # the same types, of one chip
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
