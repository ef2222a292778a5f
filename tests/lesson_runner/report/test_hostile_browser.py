"""
Reports and the matrix on a hostile lesson in a real browser: nothing runs, nothing is requested.

The texts are in every place that a page has: titles, labels, names, values, outputs, drawings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.lesson_runner.report.browser import Opened
from tests.lesson_runner.report.stories import retold
from tests.reliability import fault

from lesson_runner.report import matrix
from lesson_runner.report.runs import render

pytestmark = pytest.mark.slow
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)\" style='position:fixed;inset:0' x='",
    "style": "</style></title></pre></textarea><script>alert(1)</script>",
    "image": "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "link": "[x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a> javascript:alert(1)",
    "svg": "</text></svg><svg onload=alert(1)><foreignObject><iframe srcdoc='<script>alert(1)</script>'>",
    "cdata": "]]><![CDATA[<script>alert(1)</script>--><!--",
    "base": "<base href=http://127.0.0.1:9/><form action=x><input autofocus onfocus=alert(1)></form>",
    "refresh": "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "template": "{{ 7*7 }}{% for x in y %}${alert(1)}",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt;&#x3c;script>alert(1)</script>",
    "font": "$\\mathrm{x}$ <style>*{background:url(http://127.0.0.1:9/)}</style>",
}


@fault(
    "hostile lessons",
    "a title, label, name, value or output that is HTML, SVG or a script",
    how="a report and a matrix that contain it, opened in Chromium",
    seen="the text, as it was written",
    survives="no dialog, no script, no request, no other address",
)
@pytest.mark.parametrize("turn", range(0, len(ATTACKS), 4))
def test_text_stays_text(browser: Any, tmp_path: Path, turn: int) -> None:
    texts = [*list(ATTACKS.values())[turn:], *ATTACKS.values()]
    text = texts[0]
    cell = matrix.Cell("stale", text, "")
    grid = matrix.Grid({text: text}, (text, "n150"), {(text, target): cell for target in (text, "n150")})
    told = dict(zip(("title", "label", "name", "value", "output"), texts, strict=False))
    pages = {
        "report.html": render(retold(told), "html"),
        "matrix.html": matrix.render(grid, "html", Console()),
        "badge.svg": matrix.render(grid, "svg-badge", Console()),
    }
    for file, content in pages.items():
        path = tmp_path / file
        path.write_text(content, "utf-8")
        shown = Opened(browser, path, "screen", "light")
        shown.page.evaluate("for (const item of document.querySelectorAll('details')) item.open = true")
        shown.page.mouse.move(200, 200)
        shown.page.keyboard.press("Tab")
        assert (shown.said, shown.asked) == ([], [path.as_uri()])
        assert shown.page.url == path.as_uri()
        for tag in ("script", "iframe", "img", "form", "base", "foreignObject", "object", "embed", "input"):
            assert shown.page.locator(tag).count() == 0, tag
        found = shown.page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(node => [...node.attributes].map(one => one.name))"
        )
        assert not [one for one in found if one.startswith("on")]
        if file == "report.html":
            assert shown.page.inner_text("h1") == " ".join(text.split())
        shown.page.close()


def test_the_content_security_policy_blocks_injected_markup(browser: Any, tmp_path: Path) -> None:
    """Test the policy by itself: markup that escaping would have removed is put into a page on purpose."""
    page = render(retold(dict.fromkeys(("title", "label", "name", "value", "output"), "x")), "html")
    through = (
        "<script>document.title = 'it ran'</script><img src='http://127.0.0.1:9/x' onerror='alert(1)'>"
        "<base href='http://127.0.0.1:9/'><iframe src='http://127.0.0.1:9/y'></iframe>"
        "<form action='http://127.0.0.1:9/z'><input type='submit' id='send'></form>"
        "<style>@import url(http://127.0.0.1:9/s); body { background: url(http://127.0.0.1:9/b) }</style>"
    )
    path = tmp_path / "report.html"
    path.write_text(page.replace("<header>", through + "<header>", 1), "utf-8")
    shown = Opened(browser, path, "screen", "light")
    shown.page.evaluate("document.querySelector('#send').form.requestSubmit()")
    assert shown.page.title() != "it ran"
    assert shown.page.evaluate("document.baseURI") == path.as_uri()
    assert shown.page.url == path.as_uri()
    assert not [line for line in shown.said if "Content Security Policy" not in line]
    assert len([line for line in shown.said if "Content Security Policy" in line]) >= 5
    shown.page.close()
