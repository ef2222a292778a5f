"""The matrix of lessons by hardware: one module a format, each a function from a :class:`Grid` to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesson_runner.report.formats import MATRICES
from lesson_runner.report.matrix.grid import STYLES, Cell, Grid

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["STYLES", "Cell", "Grid", "render"]


def render(grid: Grid, form: str, console: Console) -> str:
    """
    Return a matrix as a text.

    Args:
        form: the name of one of :data:`~lesson_runner.report.formats.MATRICES`.
        console: its width limits the table for a terminal.
    """
    renderer = MATRICES.renderer(form)
    text: str = renderer(grid, console) if form == "text" else renderer(grid)
    return text
