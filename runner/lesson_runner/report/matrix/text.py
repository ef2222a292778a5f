"""The matrix for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from lesson_runner.report.matrix.grid import STYLES, Grid
from lesson_runner.report.tables import PlainTable


def render(grid: Grid, console: Console) -> str:
    """Return a table of signs, their meanings, and the reasons for cells that are stale or failed."""
    table = PlainTable("lesson", *grid.targets, center=tuple(grid.targets))
    for lesson in grid.lessons:
        cells = [STYLES[grid.cells[lesson, target].state] for target in grid.targets]
        table.add(lesson, *(Text(style.sign, style.color) for style in cells))
    used = {cell.state for cell in grid.cells.values()}
    legend = "  ".join(f"{style.sign} {state}" for state, style in STYLES.items() if state in used)
    reasons = [
        f"{lesson} on {target}: {cell.state}, {cell.reason}"
        for (lesson, target), cell in grid.cells.items()
        if cell.reason
    ]
    with console.capture() as captured:
        console.print(table)
        if legend:
            console.print(Text(legend, "dim"))
        for reason in reasons:
            console.print(reason)
    return captured.get()
