"""What was asked for and not computed yet, and must be before what it depends on is overwritten."""

from __future__ import annotations

import weakref
from typing import Protocol


class Pending(Protocol):
    """A value that is computed when it is read."""

    def settle(self) -> None:
        """Compute it now."""


_pending: weakref.WeakSet[Pending] = weakref.WeakSet()


def register(value: Pending) -> None:
    """Remember a value for as long as somebody holds it."""
    _pending.add(value)


def settle() -> None:
    """Compute all that is pending: call it before a stored value is written to."""
    for value in list(_pending):
        value.settle()
    _pending.clear()
