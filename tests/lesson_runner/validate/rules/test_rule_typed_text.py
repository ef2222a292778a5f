"""Characters, markup and line ends that a reader cannot type in as they are."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.lesson_runner.validate.rules.code_lessons import found, lesson_with

from lesson_runner.model import Scope
from lesson_runner.validate.rules import continuations, markup, python_names, shell_blocks, typography


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("git commit -m \u201cfirst\u201d", "1:15"),
        ("git commit -m \u2018first\u2019", "1:15"),
        ("git log \u2013oneline", "1:9"),
        ("tar \u2013xzf a.tgz", "1:5"),
        ("git log \u2014oneline", "1:9"),
        ("ls\u00a0-la", "1:3"),
        ("ls -la\u202f/tmp", "1:7"),
        ("cd \u200b/tmp", "1:4"),
        ("ls \u2212l", "1:4"),
        ("ls\nls \u2010l", "2:4"),
    ],
)
def test_typographic_characters(text: str, place: str) -> None:
    for run in (True, False):
        assert found(typography.RULES, lesson_with(text, run=run)) == [f"{place} typographic-character"]


@pytest.mark.parametrize(
    "text",
    [
        'git commit -m "it\u2019s \u201cdone\u201d \u2013 a\u00a0b"',
        "echo \u201chi\u201d \u2013 there",
        "# \u2013help \u201cx\u201d",
        "ls caf\u00e9 \u6587\u4ef6 don\u2019t",
        "cat <<EOF\n\u201cx\u201d\nEOF",
        "Loaded \u201cmodel\u201d \u2013done",
    ],
)
def test_typographic_characters_that_are_fine(text: str) -> None:
    assert found(typography.RULES, lesson_with(text)) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pip install **torch**", "1:13"),
        ("make &amp;&amp; ls", "1:6"),
        ("cat a &gt; b", "1:7"),
        ("ls -l<br>", "1:6"),
        ("ls </code>", "1:4"),
        ("curl [the page](https://example.org)", "1:6"),
        ("curl <https://example.org/a>", "1:6"),
        ('git clone "[https://example.org/a](https://example.org/a)"', "1:12"),
        ("echo $MY\\_NAME", "1:9"),
    ],
)
def test_markup(text: str, place: str) -> None:
    for run in (True, False):
        assert found(markup.RULES, lesson_with(text, run=run)) == [f"{place} markup-in-code"]


@pytest.mark.parametrize("text", ["curl <https://example.org/a>", "ls <br> x"])
def test_markup_is_not_a_placeholder_too(text: str) -> None:
    rules = (*markup.RULES, *shell_blocks.RULES)
    assert [item.split()[1] for item in found(rules, lesson_with(text, run=True))] == ["markup-in-code"]


@pytest.mark.parametrize(
    "text",
    [
        "ls **/*.py a**b**c",
        'echo "<br>&lt;" "**bold**" "[a](https://x.org)"',
        "sed 's/&/\\&amp;/g; s/a\\_b/c/' x",
        "grep \\<a\\_b x",
        "cat <<EOF\n<b>&amp;</b> [a](https://x.org)\nEOF",
        "diff <(ls) <(ls)",
        "# [a](https://x.org) **b**",
        "run <file> <a> <b>",
        "**Note** that [this](https://x.org) is prose",
        "a=$((2**3**2))",
    ],
)
def test_markup_that_is_fine(text: str) -> None:
    assert found(markup.RULES, lesson_with(text)) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("if a &lt; b:\n    print(a)", 1),
        ("x = my\\_name", 1),
        ("print('&lt;') # &gt;", 0),
        ("f(**a, **b)\nx = 2**n**3", 0),
        ("print('''\n<br>\n''')", 0),
    ],
)
def test_markup_in_python(text: str, number: int) -> None:
    assert len(found(markup.RULES, lesson_with(text, "python", run=True))) == number


BROKEN = [
    ("ls \\ \n  -l", "1:5"),
    ("ls \\\t\n  -l", "1:5"),
    ("ls \\  # long\n  -l", "1:5"),
    ("ls \\\n  -a \\\n  # long\n  -l", "2:6"),
    ("ls \\\n\n  -l", "1:4"),
    ("ls\n  -l", "1:3"),
    ("ls -a\n  --all", "1:6"),
]


@pytest.mark.parametrize(("text", "place"), BROKEN)
def test_broken_continuations(text: str, place: str) -> None:
    for run in (True, False):
        assert found(continuations.RULES, lesson_with(text, run=run)) == [f"{place} broken-continuation"]


@pytest.mark.parametrize("text", [text for text, _ in BROKEN])
def test_bash_takes_the_rest_for_another_command(text: str) -> None:
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    assert "command not found" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "ls \\\n  -l",
        "ls -l && \\\n  # then\n  ls",
        "ls \\ ",
        "ls \\ x\nls",
        "ls a\\\\ \nls",
        "echo 'a \\ \n  -b'",
        "cat <<EOF\na \\ \n  -b\nEOF",
        "# a \\ \nls",
        "ls \\\n\nls",
        "A=(\n  -a\n  -b\n)",
        "cat <<EOF\n-a\n-b\nEOF",
        "if true\nthen\n  ls\nfi",
        "Options:\n  -a  all\n  -b  more",
    ],
)
def test_continuations_that_are_fine(text: str) -> None:
    assert found(continuations.RULES, lesson_with(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python x.py", ["1:1 bare-python"]),
        ("cd x && python x.py", ["1:9 bare-python"]),
        ("A=1 time python x.py", ["1:10 bare-python"]),
        ("echo $(python -V)", ["1:8 bare-python"]),
        ("pip install torch", ["1:1 system-pip"]),
        ("pip3 install torch", ["1:1 system-pip"]),
        ("python3 -m pip install torch", ["1:1 system-pip"]),
        ("source x/bin/activate\nsudo pip install torch", ["2:1 system-pip"]),
        ("python3 x.py; ./python x.py; .venv/bin/python x.py; echo python", []),
        ("command -v python || ls; which python", []),
        ("docker run image python x.py; uv run python x.py; uv pip install x", []),
        ("pip install --break-system-packages x; pip install --target d x; pip list", []),
        ("python3 -m venv .venv && . .venv/bin/activate && python x.py && pip install x", []),
        ("conda activate x\npython x.py", []),
        ("alias python=python3\npython x.py", []),
        ("# source ~/venv/bin/activate\npython x.py", []),
    ],
)
def test_python_of_the_system(text: str, expected: list[str]) -> None:
    assert found(python_names.RULES, lesson_with(text)) == expected


SIGNS = st.sampled_from(
    [
        *"ab \\\n\t'\"#-*_[]()<>&;|$~/=",
        "\u201c",
        "\u2013",
        "\u00a0",
        "\u200b",
        "**",
        "&lt;",
        "](https://x)",
        "ls ",
    ]
)


@settings(max_examples=60)
@given(st.lists(SIGNS, max_size=25).map("".join), st.booleans())
@example("\\ \n", True)
@example("ls \\\n#\n-", True)
def test_any_text(text: str, run: bool) -> None:
    """A finding is inside of its block, and its edits replace what is there."""
    lesson = lesson_with(text, run=run)
    lines = text.split("\n")
    for rule in (*typography.RULES, *markup.RULES, *continuations.RULES, *python_names.RULES):
        assert rule.check is not None
        for item in rule.check(lesson, Scope()):
            row = item.location.line - lesson.blocks[0].location.line
            assert 0 <= row < len(lines)
            assert 1 <= item.location.column <= len(lines[row]) + 1
            for edit in item.edits:
                line = lines[edit.location.line - lesson.blocks[0].location.line]
                assert line[edit.location.column - 1 :].startswith(edit.old)
