"""The matrix and its badge in a real browser: on a screen and a phone, dark and light, and printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.lesson_runner.report.browser import SCHEMES, SCREENS, Opened

from lesson_runner.report.matrix import STYLES, Cell, Grid, render

pytestmark = pytest.mark.slow
SCRIPT = "<script>alert(1)</script>"
TARGETS = (
    "n150",
    "n300",
    "t3k",
    "p100",
    "p150",
    "p300",
    "p300c",
    "p300x2",
    "galaxy",
    "simulator",
    "emulated",
)


@pytest.fixture(scope="module")
def grid() -> Grid:
    names = [
        "a",
        "a-lesson-whose-name-is-as-long-as-names-of-lessons-become-when-nobody-thinks-of-phones",
        "b" * 90,
    ]
    lessons = {name: f"{SCRIPT} {name}" for name in names}
    states = list(STYLES)
    cells = {}
    for row, lesson in enumerate(lessons):
        for column, target in enumerate(TARGETS):
            state = states[(row + column) % len(states)]
            why = f"{SCRIPT} {'x' * 120}" if state in ("stale", "failed") else ""
            cells[lesson, target] = Cell(state, why, "2026-11-26" if state == "certified" else "")
    return Grid(lessons, TARGETS, cells)


@pytest.fixture(scope="module")
def file(grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix") / "matrix.html"
    path.write_text(render(grid, "html", Console()), "utf-8")
    return path


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("screen", SCREENS)
def test_the_page(browser: Any, file: Path, artifacts: Path, screen: str, scheme: str) -> None:
    shown = Opened(browser, file, screen, scheme)
    shown.page.screenshot(path=artifacts / f"matrix-{screen}-{scheme}.png", full_page=True)
    assert shown.overflowing() == []
    assert shown.unreadable() == []
    assert shown.page.evaluate("document.scripts.length") == 0
    # The table scrolls sideways by keyboard too; the lesson's name stays visible.
    box = shown.page.locator(".scroll")
    box.focus()
    box.evaluate("node => node.scrollLeft = node.scrollWidth")
    name, frame = shown.page.locator("tbody th").first.bounding_box(), box.bounding_box()
    assert abs(name["x"] - frame["x"]) < 2
    assert name["width"] < frame["width"] / 2 + 1, "cells are visible next to it"
    assert (shown.said, shown.asked) == ([], [file.as_uri()])
    shown.page.close()


def test_the_whole_table_is_printed(browser: Any, file: Path, artifacts: Path) -> None:
    shown = Opened(browser, file, "screen", "dark")
    shown.page.emulate_media(media="print")
    shown.page.set_viewport_size({"width": 1047, "height": 718})  # A4, landscape, with Chromium's margins
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.overflowing() == []
    last = shown.page.locator("thead th").last.bounding_box()
    assert last["x"] + last["width"] <= 1047, "no column is cut off"
    pdf = shown.page.pdf(path=artifacts / "matrix.pdf", prefer_css_page_size=True)
    shown.page.close()
    assert pdf.startswith(b"%PDF-")


def test_the_badge(browser: Any, grid: Grid, artifacts: Path, tmp_path: Path) -> None:
    one = Grid({"a": "a"}, TARGETS, {key: cell for key, cell in grid.cells.items() if key[0] == "a"})
    for number, shown_grid in enumerate((grid, one)):
        path = tmp_path / f"badge-{number}.svg"
        path.write_text(render(shown_grid, "svg-badge", Console()), "utf-8")
        shown = Opened(browser, path, "screen", "light")
        shown.page.screenshot(
            path=artifacts / f"badge-{number}.png", clip={"x": 0, "y": 0, "width": 600, "height": 30}
        )
        boxes = shown.page.evaluate(
            """[...document.querySelectorAll('text')].map(text => {
                const whole = document.documentElement.getBoundingClientRect();
                return [text.getBoundingClientRect().left, text.getBoundingClientRect().right, whole.right];
            })"""
        )
        (_, left_end, _), (right, right_end, end) = boxes
        assert left_end <= right
        assert right_end <= end
        assert shown.said == []
        shown.page.close()
