"""The matrix as a page: one file without scripts that loads nothing."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.model import NOT_BOARDS
from lesson_runner.report.html.environment import environment, style
from lesson_runner.report.matrix.grid import MEANINGS, STYLES, Grid

_HERE = Path(__file__).parent


def render(grid: Grid) -> str:
    """Return the page; every text in it is escaped."""
    used = {cell.state for cell in grid.cells.values()}
    good, of = grid.certified()
    return (
        environment(_HERE)
        .get_template("matrix.html.jinja")
        .render(
            grid=grid,
            style=style(_HERE / "matrix.css"),
            signs={state: style.sign for state, style in STYLES.items()},
            legend=[(STYLES[state].sign, state, MEANINGS[state]) for state in STYLES if state in used],
            good=good,
            of=of,
            not_boards=[target for target in grid.targets if target in NOT_BOARDS],
            reasons=[(lesson, target, cell) for (lesson, target), cell in grid.cells.items() if cell.reason],
        )
    )
