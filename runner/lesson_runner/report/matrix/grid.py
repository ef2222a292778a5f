"""The data of a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesson_runner.model import NOT_BOARDS


@dataclass(frozen=True, slots=True)
class Style:
    """How a state looks; the sign is enough without colour."""

    sign: str
    color: str
    """On a terminal."""


STYLES: Mapping[str, Style] = {
    "certified": Style("✓", "green"),
    "text changed": Style("≈", "green"),
    "stale": Style("!", "yellow"),
    "failed": Style("✗", "red"),
    "never run": Style("·", "dim"),
    "not supported": Style("-", "dim"),
}
MEANINGS: Mapping[str, str] = {
    "certified": "a valid certificate of the lesson's current text",
    "text changed": "a valid certificate; the text changed since, the plan did not",
    "stale": "the certificate no longer counts",
    "failed": "the last run failed",
    "never run": "no certificate and no failed run",
    "not supported": "the lesson is not written for it",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One lesson on one hardware."""

    state: str
    """A key of :data:`STYLES`."""
    reason: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """Lessons by hardware."""

    lessons: Mapping[str, str]
    """Titles by id."""
    targets: Sequence[str]
    cells: Mapping[tuple[str, str], Cell]
    """By lesson and target."""
    data: Sequence[Mapping[str, Any]] = ()
    """The cells in full, for programs."""

    def certified(self) -> tuple[int, int]:
        """Return how many pairs of a lesson and a board it supports are certified, and how many there are."""
        pairs = [cell for (_, target), cell in self.cells.items() if target not in NOT_BOARDS]
        counted = [cell for cell in pairs if cell.state != "not supported"]
        return sum(cell.state in ("certified", "text changed") for cell in counted), len(counted)
