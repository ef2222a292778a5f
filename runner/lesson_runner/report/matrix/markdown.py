"""The matrix as a Markdown table."""

from __future__ import annotations

from lesson_runner.report.matrix.grid import STYLES, Grid
from lesson_runner.report.runs.markdown import plain


def render(grid: Grid) -> str:
    """Return a table with a row for each lesson, followed by the reasons."""
    rows = [["lesson", *map(plain, grid.targets)], ["---", *[":-:"] * len(grid.targets)]]
    for lesson in grid.lessons:
        states = [grid.cells[lesson, target].state for target in grid.targets]
        rows.append([plain(lesson), *(f"{STYLES[state].sign} {state}" for state in states)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    reasons = [
        f"- {plain(lesson)} on {plain(target)}: {cell.state}, {plain(cell.reason)}"
        for (lesson, target), cell in grid.cells.items()
        if cell.reason
    ]
    return "\n".join([*lines, *(["", *reasons] if reasons else [])]) + "\n"
