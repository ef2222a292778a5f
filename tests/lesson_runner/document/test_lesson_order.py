"""The order of lessons that link to each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lesson_runner.document.lesson_order import Ordered, order_by_links
from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Lesson


def lessons(folder: Path, texts: Mapping[str, str]) -> list[Lesson]:
    """Return a lesson for each text; its name is its path in the folder without its ending."""
    found = []
    for name, text in texts.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found.append(load_lesson(path)[0])
    return found


def ids(ordered: Ordered) -> list[str]:
    return [lesson.id for lesson in ordered.lessons]


FIRST = [
    "**Prerequisites:** [Basics](z.md), and patience.",
    "Do [the basics](z.md) first.",
    "Please read [the basics](./z.md#install) before you begin.",
    "This guide builds on [the basics](z).",
    "You have finished [the basics](z.html)? Good.",
    "[← The basics](z.md) | [Home](https://example.com)",
    "[Previous: the basics](z.md)",
    "## Prerequisites\n\n- a shell\n- [the basics](z.md)",
    '*Requires* [the basics](command:editor.open?["z"]), 5 minutes.',
    "*Requires* [the basics](command:editor.open?%7B%22lesson%22%3A%22z%22%7D)",
]
NEXT = [
    "**Next:** [Branches](a.md)",
    "Continue with [branches](a.md).",
    "[Branches →](a.md)",
    "[Next](a.md)",
    "Well done. Now you can move on to [branches](a.md).",
    "## What's next?\n\n* [Branches](a.md): how to work on two things at once",
]
SILENT = [
    "As [the basics](z.md) say, a commit is a snapshot.",
    "It works from first principles, see [the basics](z.md) about first steps.",
    "![Next](z.md)",
    "Do this first. [The basics](z.md) explain why.",
    "Next comes the hard part. Compare [the basics](z.md).",
    "Prerequisites: [the basics](https://example.com/z.md)",
    "Prerequisites: [the basics](/z.md), [mail](mailto:z), [odd](http://[z).",
]


@pytest.mark.parametrize("text", FIRST)
def test_what_comes_first(tmp_path: Path, text: str) -> None:
    found = order_by_links(lessons(tmp_path, {"a": text, "z": "# Basics\n"}))
    assert (ids(found), found.ignored) == (["z", "a"], ())


@pytest.mark.parametrize("text", NEXT)
def test_what_comes_next(tmp_path: Path, text: str) -> None:
    assert ids(order_by_links(lessons(tmp_path, {"a": "# Branches\n", "z": text}))) == ["z", "a"]


@pytest.mark.parametrize("text", SILENT)
def test_links_that_say_nothing_about_the_order(tmp_path: Path, text: str) -> None:
    assert ids(order_by_links(lessons(tmp_path, {"a": text, "z": "# Basics\n"}))) == ["a", "z"]


@pytest.mark.parametrize(
    ("a", "z"),
    [
        ("prerequisites: [z]", "x: y"),
        ("prerequisites: z.md", "x: y"),
        ("prerequisites: [{id: z}]", "x: y"),
        ("x: y", "next: a"),
        ("order: 2", "order: 1"),
        ("weight: 2", "sidebar_position: 1.5"),
        ("x: y", "order: 7"),
    ],
)
def test_the_frontmatter(tmp_path: Path, a: str, z: str) -> None:
    made = lessons(tmp_path, {"a": f"---\nid: a\n{a}\n---\n", "z": f"---\nid: z\n{z}\n---\n"})
    assert ids(order_by_links(made)) == ["z", "a"]


def test_numbers_in_names(tmp_path: Path) -> None:
    names = ["part-10", "part-9", "b/2. two", "b/1. one", "2026120100000000000000", "appendix"]
    found = order_by_links(lessons(tmp_path, dict.fromkeys(names, "# x\n")))
    order = [lesson.path.stem for lesson in found.lessons]
    assert order.index("part-9") < order.index("part-10")
    assert order.index("1. one") < order.index("2. two")


def test_a_link_to_a_folder(tmp_path: Path) -> None:
    made = lessons(tmp_path, {"a/README": "First do [the basics](../z/) first.", "z/README": "# Basics\n"})
    assert [lesson.path.parent.name for lesson in order_by_links(made).lessons] == ["z", "a"]


def test_words_count_more_than_headings_and_numbers(tmp_path: Path) -> None:
    texts = {
        "1-a": "**Prerequisites:** [two](2-b.md)",
        "2-b": "## Next steps\n\n[one](1-a.md), [three](3-c.md), [nought](0-z.md)",
        "3-c": "## Next steps\n\n[two](2-b.md)",
        "0-z": "x",
    }
    found = order_by_links(lessons(tmp_path, texts))
    assert ids(found) == ["0-z", "2-b", "1-a", "3-c"]
    assert found.ignored == (), "a list of links is no statement"


def test_a_circle(tmp_path: Path) -> None:
    texts = {"a": "Next: [b](b.md)", "b": "x\n\nNext: [c](c.md)", "c": "Next: [a](a.md)"}
    found = order_by_links(lessons(tmp_path, texts))
    assert ids(found) == ["a", "b", "c"]
    (said,) = found.ignored
    assert (said.first, said.then, said.place.path.name, said.place.line) == ("c", "a", "c.md", 1)


def test_of_a_circle_the_weakest_statement_is_ignored(tmp_path: Path) -> None:
    texts = {"a": "Requires [b](b.md)\n\nNext: [b](b.md)", "b": "x"}
    found = order_by_links(lessons(tmp_path, texts))
    assert ids(found) == ["b", "a"]
    assert [item.place.line for item in found.ignored] == [3]


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10)


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_links(tmp_path: Path, pairs: list[tuple[int, int]], random: Random) -> None:
    texts = {
        f"l{chr(97 + number)}": "\n\n".join(
            f"Requires [x](l{chr(97 + b)}.md)" for a, b in pairs if a == number
        )
        for number in range(6)
    }
    made = lessons(tmp_path, texts)
    found = order_by_links(made)
    assert sorted(ids(found)) == sorted(texts), "each lesson once"
    place = {name: number for number, name in enumerate(ids(found))}
    wanted = {(f"l{chr(97 + b)}", f"l{chr(97 + a)}") for a, b in pairs if a != b}
    ignored = {(said.first, said.then) for said in found.ignored}
    assert ignored == {pair for pair in wanted if place[pair[0]] > place[pair[1]]}
    assert not ignored or _has_circle(wanted)
    random.shuffle(made)
    assert order_by_links(made) == found, "the order of the files does not matter"


def _has_circle(pairs: set[tuple[str, str]]) -> bool:
    reached = set(pairs)
    for _ in range(6):
        reached |= {(a, d) for a, b in reached for c, d in reached if b == c}
    return any(a == b for a, b in reached)
