"""The commands of a shell block, as plugins see them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.document.shell import ShellCommand, shell_commands
from lesson_runner.plugins import Block, Location
from lesson_runner.testing import lesson_text


def commands(text: str, language: str = "bash") -> Sequence[ShellCommand]:
    found = shell_commands(Block(language, text, Location(Path("a.md"), 1)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        (r"""a\ b 'c d'\''e' "f \"g\" $H" """, ["a b", "c d'e", 'f "g" $H']),
        ("a \\\n  b", ["a", "b"]),
        ("x a#b # c", ["x", "a#b"]),
        ("'' x", ["", "x"]),
        ('"a\\nb"', ["a\\nb"]),
        ("~/x $Y", ["~/x", "$Y"]),
        ("A=1 b --c='d e'", ["A=1", "b", "--c=d e"]),
        ("export A='b c':$D", ["export", "A=b c:$D"]),
        ("A=1", ["A=1"]),
        ("unset A", ["unset", "A"]),
        ("echo 'ü <x>' ü", ["echo", "ü <x>", "ü"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    (command,) = [command for command in commands(text) if command.words]

    assert list(command.words) == words
    assert command.operators == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cd x && ls; pwd\n# why\nid", [("cd x", ""), ("ls", ""), ("pwd", ""), ("", ""), ("id", "")]),
        ("a | b", [("a", "|"), ("b", "|")]),
        ("a || b", [("a", "||"), ("b", "||")]),
        ("a & b", [("a", "&"), ("b", "")]),
        ("a > f", [("a", ">")]),
        ("a 2>&1 | b", [("a", "|>&"), ("b", "|")]),
        ("cat <<END\nrm x\nEND\nls", [("cat", "<<"), ("ls", "")]),
        ("a $(b) `c` <(d)", [("a $(b) `c` <(d)", "$()`<(")]),
        ('a "$(b)"', [("a $(b)", "$()")]),
        ("for i in 1; do ls > f; done; id", [("for", "for>"), ("id", "")]),
        ("cd() { ls; }", [("function", "function()")]),
        ("(cd x)", [("(", "()")]),
        ("! ls", [("!", "!")]),
        ("> f", [(">", ">")]),
        ("a <your-token>\nb '<x>'", [("a <your-token>", "<>"), ("b <x>", "")]),
        ("if", [("", "&")]),
        ("x" * 70_000, [("", "&")]),
    ],
)
def test_what_needs_a_shell(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(" ".join(command.words), command.operators) for command in commands(text)] == expected


def test_places_and_sources() -> None:
    block = Block("console", "$ a \\\n> 'b'\nout\n$ c", Location(Path("a.md"), 10, 3))
    first, second = shell_commands(block) or ()

    assert [str(place) for place in first.places] == ["a.md:10:5", "a.md:11:5"]
    assert (first.source, str(second.location)) == ("a \\\n'b'", "a.md:13:5")


def test_a_quote_that_is_never_closed() -> None:
    [command] = commands("ls\necho \"it's\" 'a")

    assert (command.unclosed, str(command.location), command.words) == ("'", "a.md:2:13", ())


def test_other_languages_have_no_commands() -> None:
    assert shell_commands(Block("python", "ls", Location(Path("a.md"), 1))) is None


@given(st.text(alphabet="ab \n\t\\'\"#;&|<>$()`\x0c", max_size=30))
def test_any_text_can_be_read(text: str) -> None:
    found = commands(text)
    places = [place for command in found for place in command.places]
    places += [command.location for command in found if command.unclosed]
    for place in places:
        assert 1 <= place.column <= len(text.split("\n")[place.line - 1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["a && ", "a || ", "a | ", "a; ", "a\n", "(", "$(", "a <b>\n", "export a\n", "{ a; }\n", "'a' \\\n"],
)
def test_a_huge_block_is_fast(text: str) -> None:
    began = time.process_time()
    commands(text * (63_000 // len(text)) + "b")
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_a_lesson_without_shell_blocks_needs_no_parser(tmp_path: Path) -> None:
    body = "<!-- step\nid: a\nexpect: [{exit: 0}]\n-->\n```python\nprint(1)\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(body))
    program = (
        "import sys; from lesson_runner.cli import invoke; code = invoke(['plan', 'a.md']);"
        "sys.exit(code or 'tree_sitter' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
