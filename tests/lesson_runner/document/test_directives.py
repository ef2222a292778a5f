"""Directives: which comments are directives, their content, and the errors of broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.directives import WORDS, Directive, read
from lesson_runner.model import Location

HERE = Path("a.md")


def good(comment: str, line: int = 10, indent: int = 0) -> Directive:
    found, problems = read(comment, HERE, line, indent)
    assert problems == []
    assert found is not None
    return found


def wrong(comment: str, line: int = 10, indent: int = 0) -> list[str]:
    """Return ``rule line:column message (fix)`` for each diagnostic of a comment."""
    found, problems = read(comment, HERE, line, indent)
    assert found is None
    for item in problems:
        assert (item.severity, item.location.path) == ("error", HERE)
    return [
        f"{item.rule} {item.location.line}:{item.location.column} {item.message} ({item.fix})"
        for item in problems
    ]


@pytest.mark.parametrize("word", WORDS)
def test_every_word(word: str) -> None:
    body = "id: one\n```sh\nls\n```\n" if word == "run" else "id: one\n"
    found = good(f"<!-- {word}\n{body}-->")
    assert (found.word, found.data, found.location) == (word, {"id": "one"}, Location(HERE, 10, 1))
    assert (found.hidden is None) == (word != "run")


@pytest.mark.parametrize(
    ("comment", "data"),
    [
        ("<!-- step id: one -->", {"id": "one"}),
        ("<!--step\nid: one\n-->", {"id": "one"}),
        ("   <!--\tstep {id: one} -->\n", {"id": "one"}),
        ("<!-- expect -->", {}),
        ("<!-- expect\n-->  \n", {}),
        ("<!-- step\nid: one\n  # a note\n-->", {"id": "one"}),
    ],
)
def test_ways_to_write_a_directive(comment: str, data: Any) -> None:
    assert good(comment).data == data


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- step by step -->",
        "<!-- steps\nid: one\n-->".replace("steps", "a step"),
        "<!-- step-by-step: yes -->",
        "<!-- a note -->",
        "<!-- note: id is short -->",
        "<!-- Step, and more -->",
        "<!-- xyzzy\nid: one\n-->",
        "<!-- stop: it -->",
        "    <!-- step\nid: one\n-->",
        "<div>\n<!-- step\nid: one\n-->",
        "<!---->",
    ],
)
def test_ordinary_comments(comment: str) -> None:
    assert read(comment, HERE, 1, 0) == (None, [])


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (
            "<!-- step\nid: one\n",
            "unclosed-directive 10:1 the 'step' comment is not closed (end it with -->)",
        ),
        (
            "<!-- skip\nreason: x\n--> and more",
            "text-after-directive 10:1 text after the 'skip' comment's --> (put it on separate lines)",
        ),
        (
            "<!-- run\nid: one\n-->",
            (
                "run-without-block 10:1 a 'run' comment must contain its code block, and this one does not "
                "(put a fenced block after the YAML, inside the comment)"
            ),
        ),
        (
            "<!-- step\n[1, 2]\n-->",
            "directive-not-mapping 10:1 'step' is followed by [1, 2] (write 'key: value' lines)",
        ),
        (
            "<!-- step\nword\n-->",
            "directive-not-mapping 10:1 'step' is followed by \"word\" (write 'key: value' lines)",
        ),
        (
            "<!-- step\nid: 'one\n-->",
            "yaml-syntax 11:5 not valid YAML: the quote ' is never closed (close it, or leave it out)",
        ),
        (
            "<!-- run\nid: one\n```sh\nls\n-->",
            (
                "unclosed-hidden-block 12:1 the hidden block does not end inside its comment"
                " (close it with ``` before -->; a --> in the block's code ends the comment)"
            ),
        ),
        (
            "<!-- run\nid: one\n\n~~~~sh\nls\n~~~\n-->",
            (
                "unclosed-hidden-block 13:1 the hidden block does not end inside its comment"
                " (close it with ~~~~ before -->; a --> in the block's code ends the comment)"
            ),
        ),
        (
            "<!-- run\nid: one\n```sh\nls\n```\n\nmore\n-->",
            (
                "text-after-directive 15:1 text after the hidden block"
                " (put another block into a separate 'run' comment)"
            ),
        ),
        # A --> in a block puts text after the comment: only its cause is said.
        (
            "<!-- run\nid: one\n```sh\nls -->\n```\n-->",
            (
                "unclosed-hidden-block 12:1 the hidden block does not end inside its comment"
                " (close it with ``` before -->; a --> in the block's code ends the comment)"
            ),
        ),
    ],
)
def test_broken_directives(comment: str, said: str) -> None:
    assert wrong(comment) == [said]


def test_all_errors_are_reported_at_once() -> None:
    both = wrong("<!-- run\nid: 'one\n```sh\nls\n-->")
    assert [item.split()[:2] for item in both] == [["yaml-syntax", "11:5"], ["unclosed-hidden-block", "12:1"]]


def test_places_in_a_container() -> None:
    """Line and column are those of the file, although a list indents its content."""
    found = good("<!-- step {id: one,\n  needs: [a,\n b]} -->", line=5, indent=4)
    assert found.location == Location(HERE, 5, 5)
    places = {key: (place.line, place.column) for key, place in found.positions.items()}
    assert places == {
        (): (5, 5),
        ("id",): (5, 16),
        ("needs",): (6, 7),
        ("needs", 0): (6, 15),
        ("needs", 1): (7, 6),
    }
    assert wrong("  <!-- step\nid: one", indent=4)[0].startswith("unclosed-directive 10:7 ")
    assert wrong("<!-- run\nid: one\n```\nls\n-->", indent=4)[0].startswith("unclosed-hidden-block 12:5 ")
    after = "<!-- run\nid: one\n```\nls\n```\nmore\n-->"
    assert wrong(after, indent=4)[0].startswith("text-after-directive 15:5 ")


@pytest.mark.parametrize(
    ("block", "language", "text", "line"),
    [
        ("```bash\necho one\necho two\n```", "bash", "echo one\necho two\n", 13),
        ("```  Python title=x\n\nprint()\n```", "python", "\nprint()\n", 13),
        ("````\n```\n````", "", "```\n", 13),
        ("~~~sh\n  ls\n  ~~~~  \n\n", "sh", "  ls\n", 13),
        ("```\n```", "", "", 13),
        ("\n\n```sh\nls\n~~~\n``\n```x\n```", "sh", "ls\n~~~\n``\n```x\n", 15),
    ],
)
def test_the_block_of_a_run(block: str, language: str, text: str, line: int) -> None:
    found = good(f"<!-- run\nid: one\n{block}\n-->", indent=2)
    assert found.hidden == (language, text, Location(HERE, line, 3))
    assert found.data == {"id": "one"}


def test_the_place_of_a_directive() -> None:
    assert good("<!-- step\nid: one\ntitle: a < b\n-->").location == Location(HERE, 10, 1)
    assert wrong("<!-- skip\nreason: x\n-->.")[0].startswith("text-after-directive 10:1 ")


def test_only_a_run_directive_contains_a_block() -> None:
    assert wrong("<!-- step\nid: one\n```sh\nls\n```\n-->") != []
    assert good("<!-- run\nid: a```b\n```sh\nls\n```\n-->").data == {"id": "a```b"}
