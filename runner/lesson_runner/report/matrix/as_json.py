"""The matrix for a program."""

from __future__ import annotations

from lesson_runner.report.matrix.grid import Grid
from lesson_runner.report.text import json_text


def render(grid: Grid) -> str:
    """Return a list with an object for each cell, as JSON."""
    return json_text(list(grid.data)) + "\n"
