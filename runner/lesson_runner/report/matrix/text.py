"""The matrix for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lesson_runner.report.matrix.grid import STYLES, Grid
from lesson_runner.report.text import safe


def render(grid: Grid, console: Console) -> str:
    """Return a table of signs, what they mean, and the reasons of what is stale or failed."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("lesson", overflow="fold")
    for target in grid.targets:
        table.add_column(safe(target), justify="center")
    for lesson in grid.lessons:
        cells = [STYLES[grid.cells[lesson, target].state] for target in grid.targets]
        table.add_row(safe(lesson), *(Text(style.sign, style.color) for style in cells))
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
        for line in reasons:
            console.print(Text(safe(line)), soft_wrap=True)
    return captured.get()
