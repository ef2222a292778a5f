"""The matrix of lessons by hardware: one module a format, each a function from a :class:`Grid` to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesson_runner.report.matrix.grid import STYLES, Cell, Grid

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["FORMATS", "STYLES", "Cell", "Grid", "render"]

FORMATS = ("text", "html", "markdown", "svg-badge")


def render(grid: Grid, form: str, console: Console) -> str:
    """
    Return a matrix as a text.

    Args:
        form: one of :data:`FORMATS`.
        console: what a table for the terminal must fit.
    """
    from lesson_runner.report.matrix import badge, markdown, page, text

    if form == "text":
        return text.render(grid, console)
    return {"html": page.render, "markdown": markdown.render, "svg-badge": badge.render}[form](grid)
