"""Diagnostics as workflow commands, which GitHub's runner reads without loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.lesson_runner.report.found import DIAGNOSTICS, found, items_of, one, shown

ROOT = Path("/here")


def read(row: str) -> tuple[str, dict[str, str], str]:
    """Read a command as GitHub documents it: ``::name key=value,key=value::message``, with escapes."""
    assert row.startswith("::")
    head, message = row[2:].split("::", 1)
    name, _, rest = head.partition(" ")
    properties = dict(item.split("=", 1) for item in rest.strip().split(",") if item)
    values = {
        key: unescape(value.replace("%3A", ":").replace("%2C", ",")) for key, value in properties.items()
    }
    return name, values, unescape(message)


def unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def commands(said: str) -> list[tuple[str, dict[str, str], str]]:
    return [read(row) for row in said.split("\n")[:-2]]


def test_one_diagnostic() -> None:
    item = one("100 % wrong: a, b", path="b/a,:%.md", line=3, column=2, fix="fix it")
    said = shown(found(item), "github", ROOT)
    assert said == (
        "::error file=b/a%2C%3A%25.md,line=3,col=2,title=unknown-key"
        "::b/a,:%25.md:3:2: 100 %25 wrong: a, b (fix it) [unknown-key]\n"
        "1 lesson, 1 error, 0 warnings\n"
    )


def test_an_incomplete_escape_removes_nothing() -> None:
    [(_, _, message)] = commands(shown(found(one("\x1b[")), "github", ROOT))
    assert message.endswith(" [unknown-key]")


@pytest.mark.slow
@given(DIAGNOSTICS)
def test_commands_are_read_without_loss(diagnostics: Any) -> None:
    found_again = commands(shown(diagnostics, "github", ROOT))
    names = {"error": "error", "warning": "warning", "info": "notice"}
    assert len(found_again) == len(items_of(diagnostics))
    for (name, properties, message), item in zip(found_again, items_of(diagnostics), strict=True):
        place = item.location
        assert name == names[item.severity]
        assert list(properties) == ["file", "line", "col", "title"]
        assert [properties["line"], properties["col"]] == [str(place.line), str(place.column)]
        assert properties["title"] == item.rule
        assert message.endswith(f"[{item.rule}]")
        if (str(place.path) + item.message).isprintable():
            assert properties["file"].rsplit("/", 1)[-1] == place.path.name
            assert f":{place.line}:{place.column}: {item.message}" in message


@pytest.mark.parametrize(("repository", "file"), [(True, "deep/er/a.md"), (False, "er/a.md")])
def test_paths_start_at_the_top_of_the_repository(tmp_path: Path, repository: bool, file: str) -> None:
    (tmp_path / "deep" / "down").mkdir(parents=True)
    if repository:
        (tmp_path / ".git").mkdir()
    item = one(path="../er/a.md" if repository else "down/../er/a.md")
    root = tmp_path / "deep" / ("down" if repository else "")
    (command,) = commands(shown(found(item), "github", root))
    assert command[1]["file"] == file


def test_a_path_outside_is_unchanged() -> None:
    (command,) = commands(shown(found(one(path="/else/a.md")), "github", ROOT))
    assert command[1]["file"] == "/else/a.md"


@pytest.mark.parametrize(("number", "hint"), [(10, False), (11, True)])
def test_the_last_line_mentions_what_github_leaves_out(number: int, hint: bool) -> None:
    *_, last, end = shown(found(*[one()] * number), "github", ROOT).split("\n")
    assert end == ""
    assert last.startswith(f"1 lesson, {number} errors, 0 warnings")
    assert ("GitHub shows 10 of each kind" in last) == hint
