"""What happens where nobody listens."""

from __future__ import annotations


def ignore(*_: object) -> None:
    """Take anything, do nothing: the default of every callback."""
