"""Curves and bars, drawn with matplotlib as SVG. matplotlib is optional: call :func:`available` first."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lesson_runner.model import Series
from lesson_runner.report.html.svg import GRID, INK, MUTED, PAPER, inline, series_colour
from lesson_runner.report.html.thinning import thinned
from lesson_runner.report.runs.formatting import printable
from lesson_runner.report.text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

INSTALL = 'pip install "lesson-runner[report]"'
WIDE = (760, 360)
NARROW = (300, 310)
"""Width and height of a curve in CSS pixels: on a wide page, and on a phone."""
BARS = (156, 118)
_MARKERS = "os^DvPX*"
_LONGEST_NAME = 40
_STAGE_NAME = 24
_FEW = 12
"""A line of at most this many points has a marker on each; a longer one only on the last."""
_POINTS = 72
"""matplotlib measures in inches of this many points; a point becomes a CSS pixel."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, accessible, in the page's own font
    "svg.hashsalt": "lesson-runner",  # the same drawing gets the same ids
    "text.parse_math": False,  # a name with two dollars is not a formula
    "font.size": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
}


def available() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def curves(series: Series, name: str, size: tuple[int, int], description: str) -> str:
    """
    Return the lines of a section as an ``svg`` element; dashed lines lie behind the others.

    Args:
        name: see :func:`~lesson_runner.report.html.svg.inline`.
        size: :data:`WIDE` or :data:`NARROW`.
    """
    with _figure(size) as figure:
        axes = figure.subplots()
        xs = [x for line in series.lines for x, _ in line.points]
        start, end = min(xs), max(xs)
        own = [line for line in series.lines if not line.dashed]
        styles = {id(line): place for place, line in enumerate(own)}
        handles: dict[int, Line2D] = {}
        # Draw the longest first: where lines coincide, the end of the shorter one stays visible.
        for line in sorted(series.lines, key=lambda line: (not line.dashed, -line.points[-1][0])):
            points = thinned(line.points, size[0], start, end)
            handles[id(line)] = _draw(axes, points, styles.get(id(line)))
        axes.grid(axis="y", linewidth=0.8)
        axes.set_xlabel(_name(series.x))
        axes.set_ylabel(_name(series.y))
        axes.margins(x=0.02)
        _places(axes, series, [mark for mark in series.stages if start <= mark[0] <= end], wide=size == WIDE)
        names = [_name(line.name) for line in series.lines]
        columns = max(1, min(len(names), size[0] // (50 + 7 * max(map(len, names)))))
        shown = [handles[id(line)] for line in series.lines]
        figure.legend(
            shown, names, loc="outside upper left", ncols=columns, handlelength=2.4, borderaxespad=0
        )
        return inline(figure, name, printable(series.title), description)


def _draw(axes: Axes, points: Sequence[tuple[float, float]], place: int | None) -> Line2D:
    """Draw one of the run's own lines, counted from 0, or a line for comparison (``None``)."""
    xs, ys = zip(*points, strict=True)
    if place is None:
        known = len(xs) <= _FEW  # a line between few points only joins them: mark the points
        (drawn,) = axes.plot(
            xs,
            ys,
            color=MUTED,
            linewidth=1.6,
            linestyle=(0, (4, 3)),
            marker="o" if known else "",
            markersize=4.5,
        )
        return drawn
    marker, colour = _MARKERS[place % len(_MARKERS)], series_colour(place)
    (drawn,) = axes.plot(
        xs, ys, color=colour, linewidth=1.8, marker=marker, markersize=7,
        markevery=1 if len(xs) <= _FEW else [len(xs) - 1],
        markeredgecolor=PAPER, clip_on=False,
    )  # fmt: skip
    return drawn


def _places(axes: Axes, series: Series, stages: Sequence[tuple[float, str]], *, wide: bool) -> None:
    """Label the x axis and the stages; if all points are at stages, the stages are its labels."""
    xs = {x for line in series.lines for x, _ in line.points}
    if xs <= {x for x, _ in stages}:
        room = (WIDE if wide else NARROW)[0] // (8 * len(stages))
        axes.set_xticks([x for x, _ in stages], _fitting([name for _, name in stages], room))
        axes.margins(x=0.08)
        return
    axes.locator_params(axis="x", nbins=8 if wide else 4, integer=all(x == int(x) for x in xs))
    if 10 <= max(xs) < 1e9:
        axes.xaxis.set_major_formatter("{x:,.0f}")
    names = _fitting([name for _, name in stages], _STAGE_NAME if wide else _STAGE_NAME // 2)
    most_right = min(xs) + 0.9 * (max(xs) - min(xs))
    for (x, _), name in zip(stages, names, strict=True):
        right = x < most_right
        axes.axvline(x, color=MUTED, linewidth=0.8, linestyle=(0, (1, 3)), zorder=0)
        axes.annotate(
            name, (x, 1), xycoords=("data", "axes fraction"), xytext=(3 if right else -3, -2),
            textcoords="offset points", rotation=90, ha="left" if right else "right", va="top",
            fontsize=11, color=MUTED,
        )  # fmt: skip


def bars(
    title: str,
    values: Sequence[float | None],
    labels: Sequence[str],
    name: str,
    description: str,
    top: float = 0,
) -> str:
    """
    Return a bar for each value, with the value above it; no bar for ``None``.

    Args:
        top: the greatest value of all drawings that share a scale.
    """
    with _figure(BARS) as figure:
        axes = figure.subplots()
        heights = [0.0 if value is None else float(value) for value in values]
        drawn = axes.bar(range(len(heights)), heights, width=0.62, color=series_colour(0), linewidth=0)
        written = ["none" if value is None else number(value) for value in values]
        axes.bar_label(drawn, written, padding=2, fontsize=11 if len(values) <= 4 else 9)
        axes.set_xticks(range(len(labels)), labels)
        axes.tick_params(length=0)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.margins(y=0.16)
        if top > 0 and min(heights) >= 0:
            axes.set_ylim(0, 1.16 * top)
        return inline(figure, name, printable(title), description)


@contextmanager
def _figure(size: tuple[int, int]) -> Iterator[Figure]:
    """Yield a figure in the page's style, independent of the user's matplotlib settings."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.ERROR)  # the reader of a report need not know that it builds its font cache
    try:
        with warnings.catch_warnings():
            # It measures text in its own font, which lacks many letters; the browser's font has them.
            warnings.simplefilter("ignore")
            import matplotlib
            from matplotlib.figure import Figure

            with matplotlib.rc_context():
                matplotlib.rcdefaults()
                matplotlib.rcParams.update(_STYLE)
                inches = (size[0] / _POINTS, size[1] / _POINTS)
                yield Figure(figsize=inches, layout="constrained")
    finally:
        log.setLevel(level)


def _fitting(names: Sequence[str], room: int) -> list[str]:
    """Return names of at most ``room`` characters; longer ones lose the part after a colon first."""
    if any(len(name) > room for name in names):
        names = [name.partition(":")[0] for name in names]
    return [_name(name, room) for name in names]


def _name(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name for a drawing: on one line, of at most ``longest`` characters."""
    line = " ".join(printable(text).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return (
        f" {line}" if line.startswith("_") else line
    )  # matplotlib hides names that begin with an underscore
