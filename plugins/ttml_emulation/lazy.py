"""Lazy values, which must be computed before the values they depend on are overwritten."""

from __future__ import annotations

import weakref
from typing import Protocol


class Lazy(Protocol):
    """A value that is computed when it is read."""

    def materialize(self) -> None:
        """Compute the value now."""


_lazy: weakref.WeakSet[Lazy] = weakref.WeakSet()


def register(value: Lazy) -> None:
    """Track a lazy value as long as it is referenced."""
    _lazy.add(value)


def materialize_all() -> None:
    """Compute all lazy values; call this before overwriting a stored value."""
    for value in list(_lazy):
        value.materialize()
    _lazy.clear()
