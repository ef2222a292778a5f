"""The parts of a document's body: blocks, and directives bound to their blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.frontmatter import split
from lesson_runner.document.parser import BoundDirective, Document, parse
from lesson_runner.model import Block, Heading, Location

HERE = Path("a.md")
STEP = "<!-- step\nid: one\n-->"


def place(line: int, column: int = 1) -> Location:
    return Location(HERE, line, column)


def read_any(text: str) -> Document:
    return parse(split(text, HERE), HERE)


def read(*rows: str) -> Document:
    found = read_any("\n".join(rows))
    assert found.diagnostics == []
    return found


def only(*rows: str) -> BoundDirective:
    (directive,) = read(*rows).directives
    return directive


def test_a_block() -> None:
    (block,) = read("# A", "## B", "", "text", "", "```Bash title=x", "ls", "pwd", "```").blocks
    assert block == Block("bash", "ls\npwd\n", place(7), ("A", "B"), lead="text", info="Bash title=x")
    assert (block.closed, block.depth, block.hidden) == (True, 0, False)


@pytest.mark.parametrize(
    ("rows", "closed"),
    [
        (["```", "ls", "```"], True),
        (["```", "```"], True),
        (["```", "ls"], False),
        (["```", "ls", ""], False),
        (["```", "ls", "", "```"], True),
        (["```"], False),
        (["text", "", "# A", "", "```", "ls"], False),
        (["text", "", "# A", "", "```", "ls", "```"], True),
        (["> ```", "> ls", "", "text"], False),
        (["- ```", "  ls", "  ```"], True),
    ],
)
def test_whether_a_block_is_closed(rows: list[str], closed: bool) -> None:
    (block,) = read(*rows).blocks
    assert block.closed is closed


def test_blocks_in_containers() -> None:
    blocks = read(
        "- a", "  > ~~~ sh", "  > ls", "  > ~~~", "- ```", "  b", "  ```", "", "```", "c", "```"
    ).blocks
    assert [(item.text, item.location, item.depth, item.language) for item in blocks] == [
        ("ls\n", place(3, 5), 2, "sh"),
        ("b\n", place(6, 3), 1, ""),
        ("c\n", place(10), 0, ""),
    ]


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("", ""),
        ("Bash", "bash"),
        ("shell script", "shell"),
        ('bash title="x"', "bash"),
        ("bash {1,3}", "bash"),
        ("bash{1,3-4}", "bash"),
        ("bash,ignore", "bash"),
        ("bash[tab]", "bash"),
        ("sh:run.sh", "sh"),
        ("{.bash}", "bash"),
        ("{ .bash .copy }", "bash"),
        ('{#one .bash file="a.b"}', "bash"),
        ("{: .bash}", "bash"),
        ('{lang="bash"}', "bash"),
        ("{bash}", "bash"),
        ("{bash, eval=FALSE}", "bash"),
        ("{code-block} bash", "bash"),
        ("{code-cell} ipython3", "ipython3"),
        ("{note}", "note"),
        ("language-bash", "bash"),
        (".bash", "bash"),
        ("shell-session", "shell-session"),
        ("c++", "c++"),
        ("c#", "c#"),
        ("asp.net", "asp.net"),
        ("!?", "!?"),
    ],
)
def test_the_language_of_a_block(info: str, language: str) -> None:
    assert [block.language for block in read(f"~~~{info}", "ls", "~~~").blocks] == [language]
    if "`" not in info and info:
        assert only("<!-- run", "id: one", f"```{info}", "ls", "```", "-->").block == Block(
            language, "ls\n", place(4), hidden=True
        )


def test_an_info_string_that_looks_like_a_fence() -> None:
    (block,) = read("~~~ x~~~", "ls", "~~~").blocks
    assert (block.language, block.location) == ("x", place(2))


def test_the_paragraph_before_a_block() -> None:
    blocks = read(
        "one", "", "two", "```", "a", "```", "```", "b", "```", "three", "# H", "```", "c", "```"
    ).blocks
    assert [item.lead for item in blocks] == ["two", "", ""]
    assert read("| a |", "|---|", "| b |", "", "```", "```").blocks[0].lead == ""


def test_headings() -> None:
    found = read("# A", "", "B", "---", "  ### C", "## D", "> # E", "# F")
    assert found.headings == [
        Heading(1, "A", place(1)),
        Heading(2, "B", place(3)),
        Heading(3, "C", place(5, 3)),
        Heading(2, "D", place(6)),
        Heading(1, "E", place(7)),
        Heading(1, "F", place(8)),
    ]


def test_a_block_has_the_headings_above_it() -> None:
    rows = ["# A", "## B", "### C", "```", "1", "```", "## D", "```", "2", "```", "# E", "```", "3", "```"]
    assert [item.headings for item in read(*rows).blocks] == [("A", "B", "C"), ("A", "D"), ("E",)]


def test_a_directive_and_its_block() -> None:
    found = only("# A", STEP, "", "prose between them", "", "```bash", "ls", "```")
    assert (found.word, found.data, found.location) == ("step", {"id": "one"}, place(2))
    assert found.positions == {(): place(2), ("id",): place(3)}
    assert found.headings == ("A",)
    assert found.block == Block("bash", "ls\n", place(9), ("A",), lead="prose between them", info="bash")
    assert (found.why, found.look_for, found.lines) == ("", "", (0, 0))


def test_each_directive_has_its_own_block() -> None:
    rows = [STEP, "```", "a", "```", "```", "b", "```", "<!-- skip", "reason: x", "-->", "```", "c", "```"]
    found = read(*rows)
    assert [(item.word, item.block and item.block.text) for item in found.directives] == [
        ("step", "a\n"),
        ("skip", "c\n"),
    ]
    assert len(found.blocks) == 3


def test_a_directive_in_a_list() -> None:
    found = only("1. a", "", "   <!-- step", "   id: one", "   -->", "", "   ```", "   ls", "   ```")
    assert (found.location, found.positions[("id",)]) == (place(3, 4), place(4, 4))
    assert found.block is not None
    assert found.block.location == place(8, 4)


def test_a_run_hides_its_block() -> None:
    found = read("# A", "<!-- run", "id: one", "```sh", "ls", "```", "-->", "```", "shown", "```")
    (directive,) = found.directives
    assert directive.block == Block("sh", "ls\n", place(5), ("A",), hidden=True)
    assert [item.text for item in found.blocks] == ["shown\n"]


def test_a_manual_step_needs_no_block() -> None:
    found = read("<!-- manual", "id: look", "-->", "", "```", "ls", "```")
    assert [(item.word, item.block) for item in found.directives] == [("manual", None)]


@pytest.mark.parametrize(
    ("rows", "where", "column"),
    [
        ([STEP, "# A", "```", "```"], "before the next heading", 1),
        ([STEP, "- a", "", "  ```", "  ```"], "before this list begins", 1),
        ([STEP, "> ```", "> ```"], "before this blockquote begins", 1),
        (["- <!-- step", "  id: one", "  -->", "", "```", "```"], "in the same list", 3),
        (["> <!-- step", "> id: one", "> -->", "", "```", "```"], "in the same blockquote", 3),
        ([STEP, "", "<!-- skip", "reason: x", "-->", "```", "```"], "before the next directive", 1),
        ([STEP, "text"], "before the document ends", 1),
    ],
)
def test_a_directive_without_a_block(rows: list[str], where: str, column: int) -> None:
    found = read_any("\n".join(rows))
    (problem,) = found.diagnostics
    assert (problem.rule, problem.severity, problem.location) == (
        "orphan-directive",
        "error",
        place(1, column),
    )
    assert problem.message == f"'step' needs a code block below it, and there is none {where}"
    assert problem.fix == "put the comment directly above its code block"
    assert [item.word for item in found.directives if item.word == "step"] == []


def test_a_block_in_another_container_does_not_count() -> None:
    """A block after the list that contains the directive is in another container."""
    found = read_any("- <!-- step\n  id: one\n  -->\n- ```\n  ls\n  ```")
    assert [item.rule for item in found.diagnostics] == ["orphan-directive"]
    assert found.directives == []


def test_ordinary_and_broken_comments() -> None:
    found = read_any("<!-- a note -->\n\n<!-- step\nid: 'x\n-->\n\n```\nls\n```")
    assert ([item.rule for item in found.diagnostics], found.directives) == (["yaml-syntax"], [])


NOTES = [
    "**Why:** it is  the",
    "first.",
    "",
    STEP,
    "```",
    "a",
    "```",
    "",
    "**Look for:** a  line",
    "of text.",
]


def test_why_and_look_for() -> None:
    found = only(*NOTES)
    assert (found.why, found.look_for) == ("it is the first.", "a line of text.")
    assert (found.word, found.data, found.location) == ("step", {"id": "one"}, place(4))
    assert found.positions == {(): place(4), ("id",): place(5)}
    assert found.block is not None
    assert found.headings == ()


@pytest.mark.parametrize(
    ("rows", "why", "look_for"),
    [
        (["# A", *NOTES, "", "**Look for:** another"], "it is the first.", "a line of text."),
        (["# A", *NOTES[:3], "# B", *NOTES[3:]], "", "a line of text."),
        (["# A", *NOTES[:8], "## B", *NOTES[8:]], "it is the first.", ""),
        (["**Look for:** nothing yet", "", *NOTES[3:7]], "", ""),
        (["**Whyever:** x", "", "a **Why:** y", "", *NOTES[3:7]], "", ""),
        (["> **Why:** quoted", "", *NOTES[3:7]], "quoted", ""),
        (["### **Why:** a heading", "", *NOTES[3:7]], "", ""),
    ],
)
def test_notes_that_belong_to_no_step(rows: list[str], why: str, look_for: str) -> None:
    found = only(*rows)
    assert (found.why, found.look_for) == (why, look_for)


def test_a_reason_is_given_once() -> None:
    two = ["<!-- step", "id: two", "-->", "```", "b", "```"]
    assert [item.why for item in read(*NOTES, "", *two).directives] == ["it is the first.", ""]
    assert [item.look_for for item in read(*NOTES[:8], *two, "", *NOTES[8:]).directives] == [
        "",
        "a line of text.",
    ]
    manual = ["**Why:** eyes", "", "<!-- manual", "id: look", "-->"]
    assert only(*manual).why == "eyes"


IGNORE = "<!-- ignore {rules: [a], reason: b} -->"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([IGNORE, "", "one", "two", "", "three"], (1, 4)),
        (["zero", "", IGNORE, "```", "ls", "```", "after"], (3, 6)),
        ([IGNORE, "<!-- a note -->", "", "# A", "text"], (1, 4)),
        ([IGNORE, "<div>", "</div>", "", "text"], (1, 3)),
        ([IGNORE, "", "  <!-- a note -->", "", "text", "more"], (1, 6)),
        (["a", "", IGNORE], (3, 3)),
        (["a", "", IGNORE.replace("rules", "file: true, rules"), "b", "", "c"], (1, 6)),
        (["a", "", IGNORE.replace("rules", "file: false, rules"), "b", "", "c"], (3, 4)),
    ],
)
def test_the_lines_of_an_ignore(rows: list[str], lines: tuple[int, int]) -> None:
    found = only("# T", *rows)
    assert found.lines == (lines[0] if found.data.get("file") else lines[0] + 1, lines[1] + 1)
    assert (found.word, found.block) == ("ignore", None)
    assert {"rules": ["a"], "reason": "b"}.items() <= dict(found.data).items()
    assert found.positions[()] == found.location
    assert found.headings == ("T",)


def test_several_ignores_and_a_step_for_one_block() -> None:
    found = read(IGNORE, "", IGNORE.replace("[a]", "[c]"), "", STEP, "```", "ls", "```")
    said: list[Any] = [(item.word, item.lines, item.data.get("rules")) for item in found.directives]
    assert said == [("ignore", (1, 10), ["a"]), ("ignore", (3, 10), ["c"]), ("step", (0, 0), None)]


def test_links_are_sorted_and_anchors_known() -> None:
    found = read("<a name='here'>", "", "[y](y.md) [x](x.md)", "", "> [z](z.md)", "", "[r]", "", "[r]: r.md")
    assert [link.target for link in found.links] == ["y.md", "x.md", "z.md", "r.md"]
    assert found.anchors == {"here"}
    assert {link.location.path for link in found.links} == {HERE}
    (linked, html) = read("# A", "## B", "[x](x.md)", "", "<div>", "<a href='y.md'>", "</div>").links
    assert (linked.headings, html.headings) == (("A", "B"), ("A", "B"))
    assert found.links_complete


def test_frontmatter_is_not_a_heading() -> None:
    found = read("---", "id: one", "---", "# A")
    assert [item.title for item in found.headings] == ["A"]
