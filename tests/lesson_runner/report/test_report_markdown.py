"""A run as Markdown, parsed as GitHub does: tables, and text that stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.lesson_runner.report.stories import SCRIPT, TEXT, TEXTS, retold, story

from lesson_runner.report.runs import render
from lesson_runner.report.runs.formatting import public
from lesson_runner.report.runs.markdown import plain

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def words(token: Token) -> str:
    """Return the visible text of an inline token."""
    parts = (child.content or " " * (child.type == "softbreak") for child in token.children or ())
    return "".join(parts)


def tables(said: str) -> list[list[list[str]]]:
    """Return the cells of every table, row by row."""
    found: list[list[list[str]]] = []
    for token in READER.parse(said):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level >= 4 and found:
            found[-1][-1].append(words(token))
    return found


def test_the_run_is_described() -> None:
    said = render(story(), "markdown")
    heading = next(token for token in READER.parse(said) if token.type == "inline")
    assert words(heading) == f"❌ {SCRIPT}: failed"
    summary, learned, numbers, *_ = tables(said)
    assert ["Steps", "2 passed, 2 failed, 1 error, 1 skipped, 1 not-reached"] in summary
    assert ["The lesson's claims", "1 reproduced, 1 worse, 1 not evaluated"] in summary
    assert learned == [
        ["stage", "Real words", "Form"],
        ["Stage 1: short", "0.25", ""],
        ["Stage 2: long", "0.75", "0.5"],
    ]
    assert numbers == [
        ["Stage", "Loss", "Names"],
        ["Stage 1: short", "2.5", ""],
        ["Stage 2: long", "1.25", "4"],
    ]
    assert "> **emulated**" in said


def test_a_failure_has_expected_and_actual_values() -> None:
    said = render(story(), "markdown")
    rows = [row for table in tables(said) for row in table]
    assert ["contains", "that | `one`", "not | this <i>"] in [
        [row[0], row[1].strip("'"), row[2]] for row in rows if len(row) == 3
    ]
    assert ["good", "loss 1.5"] in [[row[0], row[2]] for row in rows if len(row) == 4]


def test_no_html_but_our_own() -> None:
    html = [
        token.content for token in READER.parse(render(story(), "markdown")) if token.type == "html_block"
    ]
    assert html
    for block in html:
        assert re.fullmatch(r"(<details><summary>[^<>]*</summary>|</details>)\n?", block), block
    inline = [
        child
        for token in READER.parse(render(story(), "markdown"))
        for child in token.children or ()
        if child.type == "html_inline"
    ]
    assert inline == []


@given(TEXT)
def test_plain_text_is_unchanged(text: str) -> None:
    tokens = READER.parse(plain(text))
    read = "".join(words(token) for token in tokens if token.type == "inline")
    assert read.replace("\u2060", "") == " ".join(public(text).split()).replace("\u2060", "")
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special"}


def test_nobody_is_mentioned() -> None:
    said = plain("ask @octocat about #12, or 1. - = + [x](y) `z` ~~a~~ http://b")
    assert "@octocat" not in said
    assert "#12" not in said
    assert "\\`z\\`" in said


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_any_text_keeps_the_tables_whole(texts: dict[str, str]) -> None:
    said = render(retold(texts), "markdown")
    for table in tables(said):
        assert len({len(row) for row in table}) == 1
    fences = [token.content for token in READER.parse(said) if token.type == "fence"]
    assert public(texts["output"].strip("\n")) + "\n" in fences
