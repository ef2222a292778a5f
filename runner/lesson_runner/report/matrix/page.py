"""The matrix as a page: one file, no script, nothing loaded."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lesson_runner.model import NOT_BOARDS
from lesson_runner.report.matrix.grid import MEANINGS, STYLES, Grid
from lesson_runner.report.runs.phrases import public

_HERE = Path(__file__).parent
_STYLE = _HERE.parent / "html" / "style.css"


def render(grid: Grid) -> str:
    """Return the page; every text in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda item: item if isinstance(item, Markup) else public(item),
    )
    used = {cell.state for cell in grid.cells.values()}
    good, of = grid.certified()
    return environment.get_template("matrix.html.jinja").render(
        grid=grid,
        style=Markup(_STYLE.read_text("utf-8") + (_HERE / "matrix.css").read_text("utf-8")),
        signs={state: style.sign for state, style in STYLES.items()},
        legend=[(STYLES[state].sign, state, MEANINGS[state]) for state in STYLES if state in used],
        good=good,
        of=of,
        not_boards=[target for target in grid.targets if target in NOT_BOARDS],
        reasons=[(lesson, target, cell) for (lesson, target), cell in grid.cells.items() if cell.reason],
    )
