"""Which text of a document is a link, an image or an anchor, and which is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import check_lesson, lesson_text

Lesson = Callable[..., Any]

# The targets of links begin with "yes", other text that looks like a target with "no".
PLACES = {
    "paragraph": "[a](yes.md) and ![b](yes.png), [a](yes.md) again",
    "over lines": "[over\nlines](yes.md\n'a title') and\n   [more](\nyes-2.md)",
    "title": "[a](yes.md \"a (title)\") [a](yes.md 'a') [a](yes.md (a))",
    "angle brackets": "[a](<yes yes.md>) [a]( <yes.md> )",
    "balanced brackets": "[a [b] c](yes(1).md) \\[[a](yes.md)\\]",
    "image in a link": "[![a](yes.png)](yes.md) [b ![a](yes.png) c ![a](yes.png)](yes.md)",
    "heading": "## [a](yes.md) b ##\n\n[a](yes.md)\n---\n\n# a [a](yes.md) #",
    "list": "- [a](yes.md)\n  b [a](yes.md)\n\n  1. c\n\n     [a](yes.md)\n- a [a](yes.md)",
    "quote": "> [a](yes.md)\n> > ![a](yes.png)\nlazy [a](yes.md)\n>     no [a](yes.md)",
    "table": "a [a](yes.md)\n\n| x | [a](yes.md) |\n|---|---|\n| [a](yes.md) | [a](yes.md) `[a](no.md)` |",
    "table with bars": "| x | y |\n|---|---|\n| a \\| [b \\| c](yes.md) | [a](yes.md) |\n|[a](yes.md)",
    "table in a list": "- > | x | y |\n  > |---|---|\n  > | [a](yes.md) | [a](yes.md) |",
    "references": "[a][one], [two][], [two], [none]\n\n[one]: yes.md 'a'\n[two]:\n  <yes-2.md>\n[a b]: yes",
    "reference in a quote": "> a\n>\n> [one]:\n> yes.md",
    "html": '<a title="it\'s" href="yes.md">a</a> <IMG src=\'yes.png\'> <a href=yes.md>b</a> <a name=x>',
    "html over lines": "a <a\n  class='b'\n  href='yes.md'>a</a>",
    "html block": "<div>\n  <a href='yes.md'>a</a> <!-- <a href='no'> -->\n<video src=\"yes.mp4\">\n</div>",
    "autolinks": "<yes:a> and <yes:b>",
    "commands": '[a](yes:x?{"a":1}) [b](yes:x?["a"])',
    "code": "`[a](no.md)` ``[a](no.md)`` [a](yes.md)\n\n    [a](no.md)\n\n```\n[a](no.md)\n```",
    "escapes": "\\[a](no.md) [a\\](no.md) [b](yes.md) !\\[a](no.md) \\![a](yes.md)",
    "no links": "[a] (no.md) [] [x] [ref][no] <a> <no> a](no.md) [a](no md) [a](no.md 'b' c)",
    "comments": "<!-- [a](no.md) <a href='no.md'> -->\n\n<!--\n<img src='no.png'>\n-->\n\n[comment]: <> (no)",
    "accents": "çğş 中文 😀 [a](yes.md) 😀 ![b](yes.png)",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=list(PLACES))
def test_every_target_is_found_in_its_place(text: str, tmp_path: Path) -> None:
    found, _ = check_lesson(lesson_text("x\n\n") + text, tmp_path)
    rows = found.text.split("\n")
    wanted = text.count("yes") - text.count("yes yes")
    assert len({link.location for link in found.links}) == len(found.links) == wanted
    for link in found.links:
        place = link.location
        assert link.target.startswith("yes")
        assert rows[place.line - 1].startswith(link.target, place.column - 1)
        assert link.kind == ("image" if link.target.endswith((".png", ".mp4")) else "link")


def test_the_text_of_a_link(tmp_path: Path) -> None:
    text = "## Part\n\n[*a* `b`](x.md) ![c [d]](y.png) <https://example.org> [e][F]\n\n[f]: z.md"
    found, _ = check_lesson(lesson_text("x\n\n") + text, tmp_path)
    assert [(link.target, link.text, link.headings) for link in found.links] == [
        ("x.md", "*a* `b`", ("Part",)),
        ("y.png", "c [d]", ("Part",)),
        ("https://example.org", "https://example.org", ("Part",)),
        ("z.md", "f", ()),
    ]


def test_entities_and_escapes_are_read(tmp_path: Path) -> None:
    text = "[a](a&amp;b\\(.md) <a href='c&amp;d.md'> [r]\n\n[r]: e&amp;f.md"
    found, _ = check_lesson(lesson_text("x\n\n") + text, tmp_path)
    assert [link.target for link in found.links] == ["a&b(.md", "c&d.md", "e&f.md"]


def test_links_that_renderers_drop_are_found(tmp_path: Path) -> None:
    text = "[a](javascript:a) ![b](file:///b) [c](data:text/html,c) [d](vbscript:d) <javascript:e>"
    found, _ = check_lesson(lesson_text("x\n\n") + text, tmp_path)
    assert len(found.links) == 5


def test_anchors_of_html(tmp_path: Path) -> None:
    text = "<a id=\"one\"></a> <a name='two'> <p id=three> `<a id='no'>`\n\n"
    text += "<div\n  id='four &amp; five'>\n</div>"
    found, _ = check_lesson(lesson_text("x\n\n") + text, tmp_path)
    assert found.anchors == {"one", "two", "three", "four & five"}


HOSTILE = {
    "brackets": "[" * 10_000 + "](",
    "images": "![" * 100_000 + "](",
    "links without an end": "[a](" * 499_000,
    "links in links": "[" * 3_000 + "a" + "](b)" * 3_000,
    "images in images": "![" * 3_000 + "a" + "](b)" * 3_000,
    "closing brackets": "](" * 300_000,
    "ticks": "".join("`" * n + "a" for n in range(1, 1_400)) + "](",
    "tags": "<a " * 300_000 + "](",
    "tags in a block": "<div>\n" + "<a " * 600_000,
    "attributes": "<div>\n<a" + " href" * 300_000,
    "quotes": "<a href='" * 200_000 + "](",
    "emphasis": "*a_" * 300_000 + "](",
    "references": "[a]: b\n\n" + "[a]" * 100_000,
    "openings of comments": "<!-" * 300_000 + "](",
    "many links": "- [a](b.md) [a](b.md) [a](b.md)\n" * 9_000,
    "a wide table": "|a" * 1_000 + "|\n" + "|-" * 1_000 + "|\n" + ("|[a](b)" * 1_000 + "|\n") * 50,
    "deep": "> - " * 5_000 + "[a](b)",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_the_search_in_hostile_text_stops_in_time(text: str, tmp_path: Path) -> None:
    """Searching after each bracket would take minutes or hours; the search stops after about a second."""
    path = tmp_path / "a.md"
    path.write_text(lesson_text("x\n\n") + text)
    begin = time.process_time()
    found, _ = check_lesson(path, tmp_path)
    assert time.process_time() - begin < 20
    assert found.links_complete or len(found.links) < 30_000
