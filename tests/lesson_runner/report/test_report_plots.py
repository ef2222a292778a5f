"""Drawings: thinned points cover the same pixels, colours are the page's, text stays text."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lesson_runner.report.stories import SPIKE, STEPS, losses

from lesson_runner.model import Line, Series
from lesson_runner.report.html import plots
from lesson_runner.report.html.thinning import sampled, thinned

NUMBERS = st.floats(-1e6, 1e6)
SERIES = st.lists(
    st.tuples(st.integers(0, 5000).map(float), NUMBERS), max_size=400, unique_by=lambda pair: pair[0]
)


def shape(**changes: Any) -> Series:
    line = Line("loss", tuple((x, y) for x, y in losses(STEPS)))
    given = {"title": "t", "note": "", "x": "step", "y": "loss", "lines": (line,), **changes}
    return Series(**given)


def drawn(**changes: Any) -> ElementTree.Element:
    pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    return ElementTree.fromstring(plots.curves(shape(**changes), "s1", plots.WIDE, "words"))


@given(SERIES.map(sorted), st.integers(1, 40))
def test_thinned_points_span_the_same_in_every_column(
    points: list[tuple[float, float]], columns: int
) -> None:
    start, end = (points[0][0], points[-1][0]) if points else (0.0, 0.0)
    kept = thinned(points, columns, start, end)
    assert set(kept) <= set(points)
    assert kept == sorted(kept)
    if len(points) > 4 * columns:
        assert len(kept) <= 4 * (columns + 1), "the last point begins a column of its own"

        def spans(given: list[tuple[float, float]]) -> dict[int, tuple[float, float, float, float]]:
            groups: dict[int, list[float]] = {}
            for x, y in given:
                groups.setdefault(int((x - start) / (end - start) * columns), []).append(y)
            return {place: (ys[0], min(ys), max(ys), ys[-1]) for place, ys in groups.items()}

        assert spans(kept) == spans(points)
    else:
        assert kept == points


def test_a_long_curve_keeps_its_spike() -> None:
    points = [(x, y) for x, y in losses(STEPS)]
    kept = thinned(points, plots.WIDE[0], 1, STEPS)
    assert len(kept) < 4 * plots.WIDE[0] + 5 < STEPS / 6
    assert (SPIKE, 9.0) in kept


@given(st.lists(NUMBERS, max_size=90), st.integers(2, 30))
def test_a_table_has_the_ends_of_a_curve(places: list[float], count: int) -> None:
    kept = sampled(places, count)
    assert len(kept) == min(count, len(places))
    if places:
        assert (kept[0], kept[-1]) == (places[0], places[-1])


def test_a_drawing_has_only_the_colours_of_the_page() -> None:
    svg = drawn(
        stages=((500.0, "half"),), lines=(*shape().lines, Line("other", ((1, 2), (9, 3)), dashed=True))
    )
    styles = [declaration for node in svg.iter() for declaration in node.get("style", "").split("; ")]
    colours = {
        value for key, _, value in (row.partition(": ") for row in styles) if key in ("fill", "stroke")
    }
    assert colours == {
        "none",
        "currentColor",
        "var(--muted)",
        "var(--grid)",
        "var(--paper)",
        "var(--series-1)",
    }
    assert not any("font-family" in row for row in styles)
    assert "stroke-dasharray" in " ".join(styles)


def test_text_is_not_a_formula() -> None:
    svg = drawn(lines=(Line("_a $x^2$ <b>&", ((1, 1), (2, 2))),), x="Schritt 一 ש", y="$")
    said = ["".join(node.itertext()).strip() for node in svg.iter("text")]
    assert {"_a $x^2$ <b>&", "Schritt 一 ש", "$"} <= set(said)


def test_stages_are_marked_where_they_end() -> None:
    svg = drawn(stages=((500.0, "Stage 1: short"), (20_000.0, "Stage 2"), (90_000.0, "beyond")))
    said = {"".join(node.itertext()).strip() for node in svg.iter("text")}
    assert {"Stage 1: short", "Stage 2"} <= said
    assert "beyond" not in said


def test_a_drawing_is_self_contained() -> None:
    text = ElementTree.tostring(drawn(), encoding="unicode")
    assert not re.search(r"<(style|metadata|script|image|a|foreignObject)\b", text)
    assert all(match.startswith("#s1-") for match in re.findall(r'href="([^"]*)"', text))
    assert "http" not in text


def test_the_users_matplotlib_settings_are_ignored() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    before = ElementTree.tostring(drawn())
    with matplotlib.rc_context({"lines.linewidth": 9, "text.usetex": True, "svg.fonttype": "path"}):
        assert ElementTree.tostring(drawn()) == before
        assert matplotlib.rcParams["lines.linewidth"] == 9
