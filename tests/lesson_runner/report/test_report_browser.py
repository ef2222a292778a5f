"""
The page in a real browser: on a screen and a phone, dark and light, and printed.

Screenshots are kept in the folder that ``LESSON_TEST_ARTIFACTS`` names, else in pytest's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.report.browser import SCHEMES, SCREENS, Opened
from tests.lesson_runner.report.stories import SCRIPT, story

from lesson_runner.report.runs import render

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(story(), "html"), "utf-8")
    return path


@pytest.fixture(params=[(screen, scheme) for screen in SCREENS for scheme in SCHEMES], ids="-".join)
def opened(request: pytest.FixtureRequest, browser: Any, file: Path, artifacts: Path) -> Iterator[Opened]:
    screen, scheme = request.param
    shown = Opened(browser, file, screen, scheme)
    shown.page.screenshot(path=artifacts / f"report-{screen}-{scheme}.png", full_page=True)
    yield shown
    shown.page.close()


def open_all(page: Any) -> None:
    """Unfold everything that a reader can unfold."""
    page.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")


def test_no_complaints_and_no_requests(opened: Opened, file: Path) -> None:
    open_all(opened.page)
    assert opened.said == []
    assert opened.asked == [file.as_uri()]


def test_nothing_overflows(opened: Opened) -> None:
    for _ in range(2):
        assert opened.overflowing() == []
        open_all(opened.page)


def test_every_plot_is_drawn_and_inside(opened: Opened) -> None:
    boxes = opened.page.evaluate(
        """[...document.querySelectorAll('svg')].map(svg => {
            const box = svg.getBoundingClientRect();
            const words = [...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect().right);
            const paths = svg.querySelectorAll('path').length;
            return [box.width, box.height, paths, Math.max(0, ...words.map(right => right - box.right))];
        })"""
    )
    visible = [box for box in boxes if box[0] > 0]
    assert len(boxes) == 6
    assert len(visible) == 5, "one of the two sizes of the curve"
    for width, height, paths, beyond in visible:
        assert width > 100
        assert height > 80
        assert paths > 3
        assert beyond < 8, "its words keep inside it"


def test_text_has_enough_contrast(opened: Opened) -> None:
    open_all(opened.page)
    assert opened.unreadable() == []


def test_dark_and_light_differ(browser: Any, file: Path) -> None:
    grounds = set()
    for scheme in SCHEMES:
        shown = Opened(browser, file, "screen", scheme)
        style = "getComputedStyle(document.body).backgroundColor"
        grounds.add(sum(map(int, re.findall(r"\d+", shown.page.evaluate(style))[:3])) < 200)
        shown.page.close()
    assert grounds == {True, False}


def test_a_title_that_is_a_script_is_text(opened: Opened) -> None:
    assert opened.page.inner_text("h1") == SCRIPT
    assert opened.page.title() == f"{SCRIPT}: failed [emulated]"
    assert opened.page.evaluate("document.scripts.length") == 0


def test_the_keyboard_reaches_and_opens_a_step(opened: Opened) -> None:
    opened.page.focus("#step-1 > summary")
    opened.page.keyboard.press("Enter")
    assert opened.page.evaluate("document.querySelector('#step-1').open") is True


def test_it_prints(browser: Any, file: Path, artifacts: Path) -> None:
    shown = Opened(browser, file, "screen", "dark")
    shown.page.emulate_media(media="print")
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.page.is_visible("#step-1 .stack"), "what is closed on a screen is open on paper"
    assert not shown.page.is_visible("nav")
    pdf = shown.page.pdf(path=artifacts / "report.pdf", prefer_css_page_size=True)
    shown.page.close()
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 10_000
    assert shown.said == []
