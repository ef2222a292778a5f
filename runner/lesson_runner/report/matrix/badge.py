"""
The matrix as a badge: one lesson's boards, or how many pairs are certified.

anybadge and pybadges draw such badges with the glyph widths of one font, which the reader may not have. This
badge sets the length of each text instead, and the reader's font is fitted to it.
"""

from __future__ import annotations

from lesson_runner.model import NOT_BOARDS
from lesson_runner.report.matrix.grid import Grid
from lesson_runner.report.runs.formatting import printable

_PER_CHARACTER = 6.6
"""Width of a character in pixels, at a font size of 11; ``textLength`` enforces it in every font."""
_GOOD, _SOME, _NONE = "#146c2e", "#7a4b00", "#545d67"
_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{left}: {right}">
<title>{left}: {right}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><rect width="{split}" height="20" fill="#2d333b"/>\
<rect x="{split}" width="{rest}" height="20" fill="{color}"/></g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14" textLength="{left_length}">{left}</text>
<text x="{right_at}" y="14" textLength="{right_length}">{right}</text>
</g>
</svg>
"""


def render(grid: Grid) -> str:
    """Return the badge as SVG, which loads nothing."""
    from markupsafe import escape

    *words, color = _content(grid)
    left, right = map(printable, words)  # XML cannot contain control characters, not even escaped
    lengths = [round(_PER_CHARACTER * len(text)) for text in (left, right)]
    split = lengths[0] + 12
    rest = lengths[1] + 12
    return _TEMPLATE.format(
        width=split + rest,
        split=split,
        rest=rest,
        right_at=split + 6,
        color=color,
        left=escape(left),
        right=escape(right),
        left_length=lengths[0],
        right_length=lengths[1],
    )


def _content(grid: Grid) -> tuple[str, str, str]:
    good, of = grid.certified()
    color = _NONE if not good else _GOOD if good == of else _SOME
    if len(grid.lessons) != 1:
        return "certified", f"{good} of {of}", color
    (lesson,) = grid.lessons
    boards = [
        target
        for target in grid.targets
        if target not in NOT_BOARDS and grid.cells[lesson, target].state in ("certified", "text changed")
    ]
    return f"{lesson} certified", ", ".join(boards) or "on no board", color
