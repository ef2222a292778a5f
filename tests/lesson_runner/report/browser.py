"""Open a page in a real browser: its complaints and requests, overflowing and unreadable text."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENS = {"screen": (1280, 900), "phone": (360, 740)}
SCHEMES = ("light", "dark")


def chromium() -> str | None:
    """Return the path of this machine's browser."""
    return os.environ.get("LESSON_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Opened:
    """A page, and all complaints of the page and the browser."""

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

    def overflowing(self) -> list[str]:
        """Return the elements that are wider than the page and do not scroll."""
        found: list[str] = self.page.evaluate(_OVERFLOWING)
        return found

    def unreadable(self) -> list[str]:
        """Return the texts with less contrast than WCAG 2.1 requires for small text (AA): 4.5 to 1."""
        found: list[str] = self.page.evaluate(_UNREADABLE)
        return found

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


_OVERFLOWING = """[
    ...[document.scrollingElement.scrollWidth].filter(width => width > innerWidth),
    ...[...document.querySelectorAll('body *')].filter(node => {
        const box = node.getBoundingClientRect();
        return box.width && box.right > innerWidth + 1 && !node.closest('.scroll');
    }).map(node => node.tagName + ' ' + node.className),
]"""

_UNREADABLE = """() => {
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
