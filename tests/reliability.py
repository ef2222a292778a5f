"""Mark tests that provoke a fault for real; ``docs/reliability.md`` lists these faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

FAULTS = pytest.StashKey[tuple["Fault", ...]]()
"""Where ``conftest.py`` keeps the faults of all tests it saw, those that are not chosen included."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One row of the table."""

    area: str
    """Such as ``interruption`` or ``downloads``: rows of one stand together."""
    what: str
    how: str
    """How the test provokes it."""
    seen: str
    """What the user sees; the exit code with it."""
    survives: str


def fault(area: str, what: str, *, how: str, seen: str, survives: str) -> pytest.MarkDecorator:
    """Mark a test as one that provokes a fault; see :class:`Fault`."""
    return pytest.mark.fault(Fault(area, what, how, seen, survives))


def faults_of(items: Iterable[pytest.Item]) -> tuple[Fault, ...]:
    """Return the faults that tests are marked with, each once, in the table's order."""
    return tuple(sorted({mark.args[0] for item in items for mark in item.iter_markers("fault")}))
