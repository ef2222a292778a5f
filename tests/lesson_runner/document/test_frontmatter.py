"""Frontmatter: its content, where it ends, and the errors of invalid frontmatter."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lesson_runner.document.frontmatter import read_frontmatter, split
from lesson_runner.model import Location

HERE = Path("a.md")
NONE = ("no-frontmatter", "warning", Location(HERE, 1))


@pytest.mark.parametrize(
    ("text", "data", "body", "first"),
    [
        ("---\nid: a\n---\nbody\n---\nmore", {"id": "a"}, "body\n---\nmore", 4),
        ("---  \nid: a\n--- \nbody", {"id": "a"}, "body", 4),
        ("---\nid: a\ntags: [b]\n---", {"id": "a", "tags": ["b"]}, "", 5),
        ("---\nid: |\n  a -- b\n---\n\n---\nbody", {"id": "a -- b\n"}, "\n---\nbody", 5),
    ],
)
def test_valid_frontmatter(text: str, data: object, body: str, first: int) -> None:
    parts = split(text, HERE)
    found = read_frontmatter(parts, HERE)
    assert (found.data, found.diagnostics) == (data, ())
    assert found.positions[("id",)] == Location(HERE, 2, 1)
    assert (parts.body, parts.first) == (body, first)
    assert parts.body_in_place.split("\n")[first - 1 :] == body.split("\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\nid: a\n", "frontmatter 1:1 the frontmatter is not closed (end it with a line '---')"),
        (
            "---\n- a\n---",
            "frontmatter 2:1 the frontmatter is not a mapping of keys to values (write 'key: value' lines)",
        ),
        (
            "---\n---\n",
            "frontmatter 2:1 the frontmatter is not a mapping of keys to values (write 'key: value' lines)",
        ),
        ("---\nid: a\nid: b\n---", "yaml-syntax 3:1 not valid YAML: the key 'id' appears twice (None)"),
    ],
)
def test_invalid_frontmatter(text: str, said: str) -> None:
    found = read_frontmatter(split(text, HERE), HERE)
    assert (found.data, found.positions) == ({}, {})
    (problem,) = found.diagnostics
    place = problem.location
    assert (problem.severity, place.path) == ("error", HERE)
    assert f"{problem.rule} {place.line}:{place.column} {problem.message} ({problem.fix})" == said


@pytest.mark.parametrize(
    ("row", "column"),
    [
        *(
            (" ---", 2),
            ("  ---", 3),
            ("\t---", 2),
            ("      ---", 7),
            ("---\t", 1),
            ("----", 1),
            ("  -----  ", 3),
        ),
        *(("...", 1), (" ...", 2), ("... ", 1), ("...\t", 1), ("--- a", 1), ("... a", 1), ("--- |", 1)),
        *(("\u00a0---", 2), ("a: \u2028---", 4), ("a: \x85---\x85", 4), ("a: b\u2029", 5), ("# \x0b---", 3)),
    ],
)
@pytest.mark.parametrize("above", ["id: a", "id: |", "id: >-\n  a", 'id: "a', "# note", ""])
def test_a_line_that_may_end_the_frontmatter_elsewhere_is_an_error(row: str, column: int, above: str) -> None:
    text = f"---\n{above}\n{row}\nb: c\n---\nbody\n"
    parts = split(text, HERE)
    line = 3 + above.count("\n")
    assert [problem.location for problem in parts.problems] == [Location(HERE, line, column)]
    assert [problem.severity for problem in parts.problems] == ["error"]
    assert read_frontmatter(parts, HERE).data == {}
    assert parts.body == "body\n"


@pytest.mark.parametrize("row", ["---", "----", " ---", "..."])
def test_a_second_marker_directly_below_is_an_error(row: str) -> None:
    parts = split(f"---\nid: a\n---\n{row}\nid: b\n", HERE)
    assert [problem.location.line for problem in parts.problems] == [4]
    assert split(f"---\nid: a\n---\n\n{row}\n", HERE).problems == ()  # there it is a line across the page


@pytest.mark.parametrize("text", ["", "# Title\n---\n", "---\nid: a\n", "\n---\nid: a\n---\n"])
def test_without_frontmatter_everything_is_body(text: str) -> None:
    parts = split(text, HERE)
    assert (parts.yaml, parts.body, parts.first, parts.body_in_place) == (None, text, 1, text)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        # another format
        ("+++\nid = 'a'\n+++\n", 1, 1, ("TOML", "YAML", "'---'")),
        ("---toml\nid = 'a'\n---\n", 1, 1, ("TOML", "YAML", "'---'")),
        ('{\n  "id": "a"\n}\n', 1, 1, ("JSON", "YAML", "'---'")),
        ('{"id": "a"}\n', 1, 1, ("JSON", "YAML", "'---'")),
        (";;;\n{}\n;;;\n", 1, 1, ("JSON", "YAML", "'---'")),
        # another first line
        (" ---\nid: a\n---\n", 1, 2, ("' ---'", "'---'")),
        ("----\nid: a\n----\n", 1, 1, ("'----'", "'---'")),
        ("--\nid: a\n--\n", 1, 1, ("'--'", "'---'")),
        ("---\t\nid: a\n---\n", 1, 1, ("'---\\t'", "'---'")),
        ("---yaml\nid: a\n---\n", 1, 1, ("'---yaml'", "'---'")),
        ("\u2014\u2014\u2014\nid: a\n---\n", 1, 1, ("U+2014", "'---'")),
        ("\u2014 \u2014 \u2014\nid: a\n---\n", 1, 1, ("U+2014", "'---'")),
        ("***\nid: a\n***\n", 1, 1, ("'***'", "'---'")),
        ("\ufeff---\nid: a\n---\n", 1, 1, ("U+FEFF",)),
        ("---\u200b\nid: a\n---\n", 1, 4, ("U+200B",)),
        ("```yaml\nid: a\n```\n", 1, 1, ("code block", "'---'")),
        ("id: a\n---\n", 1, 1, ("key", "'---'")),
        # something above it
        ("\n\n---\nid: a\n---\n", 1, 1, ("line 3", "empty lines")),
        ("<!-- a license -->\n---\nid: a\n---\n", 1, 1, ("line 2", "below")),
        ("# a comment\n\n---\nid: a\n---\n", 1, 1, ("line 3", "below")),
        # another last line
        ("---\nid: a\n...\n\n# T\n", 3, 1, ("'...'", "'---'")),
        ("---\nid: a\n...\n\nText: with: colons\n\n---\n", 3, 1, ("'...'", "'---'")),
        ("---\nid: a\n----\n\n# T\n", 3, 1, ("'----'", "'---'")),
        ("---\nid: a\n---\t\n\n# T\n", 3, 1, ("'---\\t'", "'---'")),
        ("---\nid: a\n  ---\n\n# T\n", 3, 3, ("'---'",)),
        ("---\nid: a\n\u2014\u2014\u2014\n\nText: with: colons\n\n---\n", 3, 1, ("U+2014", "'---'")),
        # no last line
        ("---\nid: a\n\n# T\n\nText\n", 4, 1, ("not closed", "'---'")),
        ("---\nid: a\n\n# T\n\nText: with: colons\n\n---\n", 4, 1, ("not closed", "'---'")),
    ],
)
def test_what_is_there_instead(text: str, line: int, column: int, words: tuple[str, ...]) -> None:
    (problem,) = read_frontmatter(split(text, HERE), HERE).diagnostics
    assert (problem.rule, problem.location) == ("frontmatter", Location(HERE, line, column))
    assert all(word in f"{problem.message} ({problem.fix})" for word in words)


@pytest.mark.parametrize(
    "text",
    [
        *("", "# Title", "# Title\n\n---\n\nText\n", "Title\n---\n\nText\n", "{{< shortcode >}}\n"),
        *(
            "***\nText\n",
            "```\nls\n```\n",
            "Note: read this\n",
            "# T\n---\nTip: read this\n",
            "----\n\n# T\n",
        ),
    ],
)
def test_a_plain_document_is_not_broken(text: str) -> None:
    (problem,) = read_frontmatter(split(text, HERE), HERE).diagnostics
    assert (problem.rule, problem.severity, problem.location) == NONE


@pytest.mark.parametrize("line", ["-" * 100_000 + "x", "\u2014 " * 50_000 + "x", " " * 100_000 + "x"])
def test_a_long_line_takes_no_time(line: str) -> None:
    before = time.process_time()
    for text in (f"{line}\nid: a\n", f"---\n{line}\n"):
        assert read_frontmatter(split(text, HERE), HERE).diagnostics
    assert time.process_time() - before < 1
