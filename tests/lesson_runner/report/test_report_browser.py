"""
The page in a real browser: on a screen and a phone, dark and light, and printed.

Screenshots are kept in the folder that ``LESSON_TEST_ARTIFACTS`` names, else in pytest's own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.report.stories import SCRIPT, story

from lesson_runner.report.runs import render

pytestmark = pytest.mark.slow
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENS = {"screen": (1280, 900), "phone": (360, 740)}
SCHEMES = ("light", "dark")


def chromium() -> str | None:
    """Return the path of this machine's browser."""
    return os.environ.get("LESSON_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium or Chrome; .ci/browser installs one")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed; see .ci/browser"
    )
    pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    with playwright.sync_playwright() as driver:
        # In a container, often as root, Chromium has no sandbox of its own; it opens nothing but our page.
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("LESSON_TEST_ARTIFACTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("pages")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(story(), "html"), "utf-8")
    return path


class Opened:
    """A page, and everything that it or the browser complained of."""

    def __init__(self, browser: Any, file: Path, screen: str, scheme: str) -> None:
        width, height = SCREENS[screen]
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(params=[(screen, scheme) for screen in SCREENS for scheme in SCHEMES], ids="-".join)
def opened(request: pytest.FixtureRequest, browser: Any, file: Path, artifacts: Path) -> Iterator[Opened]:
    screen, scheme = request.param
    shown = Opened(browser, file, screen, scheme)
    shown.page.screenshot(path=artifacts / f"report-{screen}-{scheme}.png", full_page=True)
    yield shown
    shown.page.close()


def open_all(page: Any) -> None:
    """Open everything that can be opened, as a reader would."""
    page.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")


def test_nothing_is_complained_of_and_nothing_fetched(opened: Opened, file: Path) -> None:
    open_all(opened.page)
    assert opened.said == []
    assert opened.asked == [file.as_uri()]


def test_nothing_overflows(opened: Opened) -> None:
    for _ in range(2):
        width, room = opened.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert width <= room
        beyond = opened.page.evaluate(
            """[...document.querySelectorAll('body *')].filter(node => {
                const box = node.getBoundingClientRect();
                return box.width && box.right > innerWidth + 1 && !node.closest('.scroll');
            }).map(node => node.tagName + ' ' + node.className)"""
        )
        assert beyond == []
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


def test_words_can_be_read(opened: Opened) -> None:
    """Every text has the contrast that WCAG 2.1 asks of small text (AA): 4.5 to 1."""
    open_all(opened.page)
    low = opened.page.evaluate(
        """() => {
            const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map(part => part / 255).map(
                part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
            ).reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
            const behind = node => {
                for (; node; node = node.parentElement) {
                    const colour = numbers(getComputedStyle(node).backgroundColor);
                    if (colour.length < 4 || colour[3] > 0) return colour;
                }
                return [255, 255, 255];
            };
            const found = [];
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const node = walker.currentNode.parentElement;
                if (!walker.currentNode.data.trim() || !node.getBoundingClientRect().width) continue;
                if (['TITLE', 'DESC', 'title', 'desc'].includes(node.tagName)) continue;
                const style = getComputedStyle(node);
                const ink = numbers(node.namespaceURI.endsWith('svg') ? style.fill : style.color);
                const [one, two] = [light(ink), light(behind(node))].sort((a, b) => b - a);
                const ratio = (one + 0.05) / (two + 0.05);
                const text = walker.currentNode.data.trim().slice(0, 40);
                if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${text}`);
            }
            return found;
        }"""
    )
    assert low == []


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
