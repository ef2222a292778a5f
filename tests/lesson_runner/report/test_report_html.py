"""The page: its contents; any text stays text; it loads nothing and runs nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from justhtml import JustHTML
from rich.console import Console
from tests.lesson_runner.report.stories import SCRIPT, SECTIONS, TEXT, TEXTS, retold, story

from lesson_runner.model import Line, Passage, Section, Series, Table, Texts
from lesson_runner.report.formats import REPORTS
from lesson_runner.report.runs import Report, read_report, render
from lesson_runner.report.runs.formatting import public
from lesson_runner.report.runs.sections import cut
from lesson_runner.report.summary import print_section

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def parsed(page: str) -> Any:
    """Return the page, which must be valid for an HTML parser and for the much stricter XML parser."""
    tree = JustHTML(page, collect_errors=True, sanitize=False)
    assert tree.errors == []
    ElementTree.fromstring(page.removeprefix("<!doctype html>\n"))
    return tree


def text_of(node: Any) -> str:
    return " ".join(node.to_text(separator="", strip=False).split())


@pytest.fixture(scope="module")
def html() -> str:
    return render(story(), "html")


@pytest.fixture(scope="module")
def page(html: str) -> Any:
    return parsed(html)


def test_a_title_that_is_a_script_is_text(page: Any) -> None:
    assert page.query("script") == []
    assert text_of(page.query("h1")[0]) == SCRIPT
    assert SCRIPT in text_of(page.query("title")[0])


def test_nothing_is_loaded_and_nothing_runs(page: Any) -> None:
    policy = page.query("meta[http-equiv]")[0].attrs
    assert (policy["http-equiv"], policy["content"]) == ("Content-Security-Policy", POLICY)
    for node in page.query("*"):
        assert node.name not in ("script", "iframe", "object", "embed", "link", "img", "base", "form"), (
            node.name
        )
        for name, value in node.attrs.items():
            assert not name.startswith("on"), name
            assert name != "src"
            if name == "href":
                assert value.startswith("#"), value
            if name != "content":
                assert "url(" not in (value or "") or "url(#" in value


def test_ids_are_unique_and_links_have_targets(page: Any, html: str) -> None:
    ids = [node.attrs["id"] for node in page.query("[id]")]
    assert len(set(ids)) == len(ids)
    links = {node.attrs["href"][1:] for node in page.query("[href]")}
    named = {
        name for node in page.query("[aria-labelledby]") for name in node.attrs["aria-labelledby"].split()
    }
    clipped = set(re.findall(r'clip-path="url\(#([^)]+)\)"', html))
    assert links | named | clipped <= set(ids)


def test_the_run_is_described(page: Any) -> None:
    said = text_of(page.query("body")[0])
    for words in (
        "1 reproduced, 1 worse, 1 not evaluated",
        "2 passed, 2 failed, 1 error, 1 skipped, 1 not-reached",
        "it needs 'bad', which failed",
        "it needs a board",
        "it changes your machine",
        "RuntimeError",
    ):
        assert words in said, words
    assert [text_of(node) for node in page.query(".labels .label")] == ["emulated"]
    opened = {node.attrs["id"] for node in page.query("details.step[open]")}
    assert opened == {"step-2", "step-3", "step-4"}, "those that went wrong"


def test_expected_and_actual_are_next_to_each_other(page: Any) -> None:
    cells = [text_of(node) for node in page.query("#step-2 .stack td")]
    assert cells == [
        "contains 'that | `one`'" if "'" in cells[0] else "contains that | `one`",
        "not | this <i>",
        "✗ failed",
        cells[3],
        cells[4],
        "✗ failed",
    ]
    assert "this" in cells[3]


def test_kinds_of_words_are_marked_and_explained(page: Any, html: str) -> None:
    article = page.query(".texts article")[0]
    assert [(node.attrs["class"], text_of(node)) for node in article.query(".text span")] == [
        ("prompt", "ROMEO:"),
        ("invented", "wherf"),
        ("copied", "art thou"),
    ]
    key = text_of(page.query(".key")[0])
    for words in ("real words", "the prompt", "invented words", "copied from the training text"):
        assert words in key
    for kind, mark in (
        ("invented", "underline wavy"),
        ("copied", "border-bottom: 3px double"),
        ("prompt", "700"),
    ):
        assert re.search(rf"\.{kind} {{[^}}]*{mark}", html), "not by colour alone"


def test_long_output_is_cut_and_says_so(page: Any) -> None:
    (shown,) = page.query("#step-7 .output pre")
    said = shown.to_text(separator="", strip=False)
    assert len(said) < 70_000
    assert "first �red�" in said
    assert "last & <b>end</b>" in said
    assert re.search(r"[\d,]+ bytes left out; all of it: evidence/flood/output.txt", said)


def test_a_section_that_cannot_be_read_says_so(page: Any) -> None:
    said = text_of(page.query("main")[0])
    assert "This section cannot be shown: ValueError: a row has 2 cells, and there are 1 columns" in said
    assert "This section cannot be shown: TypeError: 'map' is not a tuple" in said


def test_every_plot_has_words_and_a_table(page: Any) -> None:
    pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    drawings = page.query("svg")
    assert len(drawings) == 6, "twice two bars, and a curve for screens and one for phones"
    for node in drawings:
        assert node.attrs["role"] == "img"
        title, words = (page.query(f"#{name}")[0] for name in node.attrs["aria-labelledby"].split())
        assert (title.name, words.name) == ("title", "desc")
        assert text_of(title)
        assert text_of(words)
        assert node.query("path")
    assert "Stage 2: from 3.985 at step 1 to 1.03 at step 20,000" in text_of(page.query("svg desc")[-1])
    assert "0.75" in text_of(page.query("table")[0])
    assert "2.5" in text_of(page.query("table")[1])


def test_stages_have_separate_drawings_on_one_scale(page: Any) -> None:
    pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    section = page.query("section")[2]
    assert [text_of(node) for node in section.query("figcaption")] == ["Real words", "Form"]
    assert [text_of(node) for node in section.query(".numbered li")] == ["Stage 1: short", "Stage 2: long"]
    rows = [[text_of(cell) for cell in row.query("td")] for row in section.query("tbody tr")]
    assert rows == [["Stage 1: short", "0.25", ""], ["Stage 2: long", "0.75", "0.5"]]


def test_a_plugins_table_is_a_table_in_every_format(page: Any) -> None:
    (section,) = [node for node in page.query("section") if "in numbers" in text_of(node.query("h2")[0])]
    assert len(section.query("table")) == 1
    assert section.query("details") == []
    table = Table("The stages in numbers", ("Stage", "Loss"), (("short", 2.5),))
    assert "| Stage | Loss |\n|---|---|\n| short | 2.5 |" in render(story([table]), "markdown")
    console = Console(width=80)
    with console.capture() as captured:
        print_section(console, table, "")
    assert [row.split() for row in captured.get().splitlines()[2:]] == [["Stage", "Loss"], ["short", "2.5"]]


def test_experiments_are_in_rows(page: Any) -> None:
    (section,) = [node for node in page.query("section") if "Experiments" in text_of(node.query("h2")[0])]
    assert [text_of(node) for node in section.query("h3")] == ["Temperatures", "Speakers"]
    rows = [[text_of(title) for title in row.query("h4")] for row in section.query(".texts")]
    assert rows == [["cold", "hot"], ["JULIET:"]]


def test_the_page_starts_with_its_conclusions(page: Any) -> None:
    assert [text_of(node) for node in page.query("header .conclusion")] == ["Learned: words by stage 2 <b>."]


@pytest.mark.slow
def test_a_page_is_the_same_every_time(html: str) -> None:
    assert render(story(), "html") == html


@pytest.mark.slow
def test_equal_drawings_have_different_ids() -> None:
    twice = [section for section in SECTIONS if isinstance(section, Series)] * 2
    tree = parsed(render(story(twice), "html"))
    ids = [node.attrs["id"] for node in tree.query("[id]")]
    assert len(set(ids)) == len(ids)


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(TEXTS)
def test_any_text_stays_text(texts: dict[str, str]) -> None:
    report = retold(texts)
    tree = parsed(render(report, "html"))
    assert tree.query("script") == []
    title = " ".join(public(texts["title"]).split())
    assert text_of(tree.query("h1")[0]) == title
    (output,) = tree.query(".texts .text")
    assert " ".join(output.to_text(separator="", strip=False).split()) == " ".join(
        public(texts["output"].strip("\n")).split()
    )


NUMBERS = [0, -1, 5e-324, 1.7e308, -1.7e308, 10**400, float("nan"), float("inf"), None, True, "x"]


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:9])
def test_any_number_is_drawn_or_written(number: Any) -> None:
    sections: list[Section] = [
        Table("t", ("a", "b"), (("x", number), ("y", 1))),
        Series("s", (Line("n", ((0, 1), (1, number), (2, 3))),)),
        Series("u", (Line("n", ((number, number),)),)),
        Series("v", (Line("n", ((0, 1), (1, 2))),), stages=((number, "here"),)),
    ]
    parsed(render(story(sections), "html"))
    json.loads(render(story(sections), "json"))


UNTYPED: Any = {"c": [1]}


class Raising:
    """An object whose text cannot be computed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def endless() -> Iterator[tuple[str]]:
    while True:
        yield ("x",)


@pytest.mark.parametrize(
    "section",
    [
        Texts("", ()),
        Table("", (), ()),
        Table("", (), ((), ())),
        Series("", ()),
        Series("", (Line("n", ()),)),
        Series("", (Line("_n$^$", ((1, 1),)),), stages=((9, ""),)),
        Texts("", UNTYPED),
        Texts(UNTYPED, (), UNTYPED, UNTYPED),
        Texts("", (UNTYPED,)),
        Texts("", (Passage(UNTYPED, UNTYPED, UNTYPED, UNTYPED),)),
        Texts("", (Passage("", "", (UNTYPED,)),)),
        Series("", (Line("n", (UNTYPED, UNTYPED)),)),
        Table("", UNTYPED, ()),
        Table("", (UNTYPED,), UNTYPED),
        Table("", ("a", "b"), (("x", UNTYPED), ("y", UNTYPED))),
        Table("", ("a", "b"), (("x", Raising()), ("y", endless()))),  # type: ignore[arg-type]
        Table("", ("a",), endless()),  # type: ignore[arg-type]
    ],
    ids=lambda section: f"{section}"[:60],
)
@pytest.mark.parametrize("form", REPORTS.names)
def test_a_section_of_any_shape_breaks_nothing(section: Section, form: str) -> None:
    said = render(story([section]), form)
    if form == "html":
        parsed(said)


@pytest.mark.slow
def test_large_sections_are_bounded() -> None:
    sections: list[Section] = [
        Texts("t", tuple(Passage(str(n), "x" * 50_000) for n in range(200))),
        Table("r", ("a",), (("y",),) * 50_000),
        Series("s", tuple(Line(str(n), ((0, n), (9, n))) for n in range(200))),
    ]
    said = render(story(sections), "html")
    assert len(said) < 2_000_000
    text = text_of(parsed(said).query("main")[0])
    for words in ("140 more texts", "40,000 more characters", "49,500 more rows", "140 more lines"):
        assert words in text


@given(TEXT)
def test_pieces_are_the_text(text: str) -> None:
    marks = [
        (-5, 3, "prompt"),
        (2, 8, "copied"),
        (5, 6, "invented"),
        (7, 900, "copied"),
        (4, 2, "copied"),
        (0, 9, "x"),
    ]
    pieces = cut(text, marks)
    assert "".join(piece.text for piece in pieces) == text
    for place, letter in enumerate(text):
        (piece,) = (
            piece
            for number, piece in enumerate(pieces)
            if len("".join(item.text for item in pieces[:number])) <= place
            and place < len("".join(item.text for item in pieces[: number + 1]))
        )
        assert set(piece.kinds) == {
            kind for start, end, kind in marks if start <= place < end and kind != "x"
        }, (letter, place)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["html", "markdown", "junit", "ctrf"])
def test_diagnoses_of_plugins_are_shown(form: str) -> None:
    report = retold(dict.fromkeys(("title", "label", "name", "value", "output"), "x"))
    report.record["steps"][1]["diagnoses"] = [
        {
            "id": "stuck",
            "title": "It does not learn",
            "explanation": "the rate is too low",
            "section": "Tuning",
            "command": "lesson run x",
        }
    ]
    said = render(report, form)
    assert "It does not learn" in said
    assert "the rate is too low" in said


def test_an_empty_run_is_reported() -> None:
    report: Report = story()
    record = {**report.record, "steps": [], "labels": [], "hardware": [], "facts": {}, "not_run": []}
    tree = parsed(render(read_report(record, Path("nowhere"), []), "html"))
    assert "no steps" in text_of(tree.query("header")[0])
    assert tree.query(".labels") == []
