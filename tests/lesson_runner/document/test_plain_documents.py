"""Documents without frontmatter, or with that of another program, are lessons too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.model.lesson_ids import id_of_file, is_lesson_id

Lesson = Callable[..., Any]
BLOCK = "```bash\necho one\n```\n"
DIRECTIVE = f"<!-- step\nid: one\nexpect: [{{contains: one}}]\n-->\n{BLOCK}"
PLAIN = f"# Say `one` [now](#say-one-now)\n\nRun this:\n\n{DIRECTIVE}"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("greet.md", "greet"),
        ("My First Lesson.md", "my-first-lesson"),
        ("a.b.v1.2.markdown", "a-b-v1-2"),
        ("--x__y--.md", "x-y"),
        ("Übergröße.md", r"ubergro-e-[0-9a-f]{8}"),
        ("crème brûlée.md", "creme-brulee"),
        ("教程.md", r"lesson-[0-9a-f]{8}"),
        ("教程 1.md", r"1-[0-9a-f]{8}"),
        ("...md", r"lesson-[0-9a-f]{8}"),
        ("x" * 240 + ".md", "x{71}-[0-9a-f]{8}"),
        ("Git Guide/README.md", "git-guide"),
        ("Git Guide/readme.markdown", "git-guide"),
        ("/README.md", "readme"),
    ],
)
def test_the_id_is_made_of_the_name(name: str, wanted: str) -> None:
    assert re.fullmatch(wanted, id_of_file(Path(name)))


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=100
)


@settings(max_examples=50)
@given(NAMES)
def test_every_name_gives_a_valid_id(name: str) -> None:
    found = id_of_file(Path(f"{name}.md"))
    assert is_lesson_id(found)
    assert len(found) <= 80


def test_letters_that_are_lost_do_not_make_ids_equal() -> None:
    names = ["教程 1", "指南 1", "教程", "指南", "1", "y" * 90, "y" * 91]
    assert len({id_of_file(Path(f"{name}.md")) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["Say One, v1.0.md", "tiny/README.md", "教程.md"])
def test_a_plain_document_does_what_a_lesson_does(name: str, lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(PLAIN)
    planned = lesson("plan", name, "--json")
    assert planned.code == 0, planned
    assert (planned.json["lesson"]["id"], planned.json["lesson"]["title"]) == (
        id_of_file(path),
        "Say one now",
    )
    first = lesson("run", name, "--allow", "shell", "--json")
    assert (first.code, first.json["lesson"]["id"]) == (0, id_of_file(path)), first
    more = lesson("run", name, "--allow", "shell", "--json", "--continue", first.json["run_id"])
    assert (more.code, more.json["continues"]) == (0, first.json["run_id"]), more
    assert lesson("report", first.json["run_id"]).code == 0
    assert lesson("show", name).code == 0
    validated = lesson("validate", name, "--json")
    assert validated.code == 0
    assert [item["rule"] for item in validated.json["findings"]] == ["no-frontmatter"]


def test_a_plain_document_is_resumed(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(PLAIN.replace("echo one", "test -e ../../../../ready && echo one"))
    assert lesson("run", "README.md", "--allow", "shell").code == 1
    (tmp_path / "ready").touch()
    assert lesson("resume", "--allow", "shell").code == 0


@pytest.mark.parametrize(
    "front",
    [
        "layout: page\ntitle: Say one",
        "title: Say one\ntags: a, b\nstatus: published\nid: Say One",
        "id: 7\ntitle: [a]\nsupportedHardware: [abacus]",
    ],
)
def test_frontmatter_for_another_program_stops_only_a_lesson_with_directives(
    front: str, lesson: Lesson, tmp_path: Path
) -> None:
    (tmp_path / "plain.md").write_text(f"---\n{front}\n---\n\n# Say one\n\n{BLOCK}")
    (tmp_path / "own.md").write_text(f"---\n{front}\n---\n\n# Say one\n\n{DIRECTIVE}")
    plain = lesson("validate", "plain.md", "--json").json["findings"]
    assert lesson("show", "plain.md").code == 0
    assert {item["severity"] for item in plain if item["message"].startswith("frontmatter")} == {"warning"}
    assert lesson("validate", "own.md", "--json").code == 1
    assert lesson("run", "own.md", "--allow", "shell").code == 2


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"---\ntitle: One\n\n{DIRECTIVE}", "frontmatter"),
        (f"---\ntitle: [One\n---\n\n{DIRECTIVE}", "yaml-syntax"),
        (f"---\ntitle: One\nrunner: {{timeout: soon}}\n---\n\n{BLOCK}", "wrong-value"),
        (f"# One\n\n    {DIRECTIVE}", "lost-directive"),
    ],
)
def test_what_is_broken_stays_an_error(text: str, rule: str, lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(text)
    found = lesson("validate", "a.md", "--json").json["findings"]
    assert rule in [item["rule"] for item in found if item["severity"] == "error"]
    assert lesson("run", "a.md", "--allow", "shell").code == 2
