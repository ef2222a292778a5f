"""What was asked for and not computed yet, and must be before what it depends on is overwritten."""

from __future__ import annotations

import weakref
from typing import Protocol


class Lazy(Protocol):
    """A value that is computed when it is read."""

    def materialize(self) -> None:
        """Compute it now."""


_lazy: weakref.WeakSet[Lazy] = weakref.WeakSet()


def register(value: Lazy) -> None:
    """Remember a value for as long as somebody holds it."""
    _lazy.add(value)


def materialize_all() -> None:
    """Compute all that is pending: call it before a stored value is written to."""
    for value in list(_lazy):
        value.materialize()
    _lazy.clear()
