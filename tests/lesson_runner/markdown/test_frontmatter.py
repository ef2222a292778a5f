"""The mapping at the top of a lesson, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.markdown.frontmatter import body_of, read_frontmatter
from lesson_runner.model import Location

HERE = Path("a.md")
NONE = "frontmatter 1:1 the document does not begin with frontmatter"


@pytest.mark.parametrize(
    ("text", "data", "body"),
    [
        ("---\nid: a\n---\nbody\n---\nmore", {"id": "a"}, "body\n---\nmore"),
        ("---  \nid: a\n--- \nbody", {"id": "a"}, "body"),
        ("---\nid: a\ntags: [b]\n---", {"id": "a", "tags": ["b"]}, ""),
        ("---\nid: |\n  ---\n---\nbody", {"id": "---"}, "body"),
    ],
)
def test_what_is_read(text: str, data: object, body: str) -> None:
    found = read_frontmatter(text, HERE)
    assert (found.data, found.diagnostics) == (data, ())
    assert found.positions[("id",)] == Location(HERE, 2, 1)
    assert body_of(text) == body


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "# Title",
            f"{NONE} (begin it with a line '---')",
        ),
        ("", f"{NONE} (begin it with a line '---')"),
        (
            " ---\nid: a\n---",
            f"{NONE} (delete the empty lines above '---')",
        ),
        (
            "\n\n---\nid: a\n---\n",
            f"{NONE} (delete the empty lines above '---')",
        ),
        ("---\nid: a\n", "frontmatter 1:1 the frontmatter is not closed (end it with a line '---')"),
        (
            "---\n- a\n---",
            "frontmatter 2:1 the frontmatter is not a mapping of keys to values (write 'key: value' lines)",
        ),
        (
            "---\n---\n",
            "frontmatter 2:1 the frontmatter is not a mapping of keys to values (write 'key: value' lines)",
        ),
        ("---\nid: a\nid: b\n---", "yaml-syntax 3:1 not valid YAML: the key 'id' is there twice (None)"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    found = read_frontmatter(text, HERE)
    assert (found.data, found.positions) == ({}, {})
    (problem,) = found.diagnostics
    place = problem.location
    assert (problem.severity, place.path) == ("error", HERE)
    assert f"{problem.rule} {place.line}:{place.column} {problem.message} ({problem.fix})" == said


@pytest.mark.parametrize("text", ["", "# Title\n---\n", "---\nid: a\n", "\n---\nid: a\n---\n"])
def test_without_frontmatter_all_is_body(text: str) -> None:
    assert body_of(text) == text
