"""Tutorials of other kinds, without directives: each is planned and runs as its author would expect."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
TUTORIALS = Path(__file__).parents[1] / "samples/tutorials"
ROLES = {
    "git-from-scratch": "run output run run run output run run output run output placeholder reference"
    " reference",
    "tiny-web-service": "file service output run output run illustration alternative",
    "sql-in-a-shell": "file run run run run output illustration interactive run reference",
    "counting-with-collections": "run output run run run run run illustration file run output illustration",
    "README": "run alternative run output system run output illustration",
}
STATUSES = {
    "git-from-scratch": "passed passed passed passed passed passed passed skipped",
    "tiny-web-service": "passed passed passed passed",
    "sql-in-a-shell": "passed passed passed passed passed skipped passed",
    "counting-with-collections": "passed passed passed passed passed passed passed passed",
    "README": "skipped passed skipped passed",
}
PROGRAMS = {"git-from-scratch": "git", "tiny-web-service": "curl", "sql-in-a-shell": "sqlite3"}


def test_every_tutorial_is_tried() -> None:
    assert {path.stem for path in TUTORIALS.glob("*.md")} == set(ROLES) == set(STATUSES)


@pytest.mark.parametrize("name", ROLES)
def test_the_roles_of_a_tutorial(lesson: Command, name: str) -> None:
    said = lesson("plan", TUTORIALS / f"{name}.md", "--json")
    assert said.code == 0, said
    wrong = {
        item["line"]: (item["role"], wanted, item["reason"])
        for item, wanted in zip(said.json["blocks"], ROLES[name].split(), strict=True)
        if item["role"] != wanted
    }
    assert wrong == {}


@pytest.mark.slow  # services start, and hosts are looked up
@pytest.mark.parametrize("name", STATUSES)
def test_a_tutorial_runs(lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if (program := PROGRAMS.get(name)) and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    home = tmp_path / "me"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with socket.socket() as free:  # as in the tutorial about a service, another process may have its port
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tutorial = tmp_path / f"{name}.md"
    tutorial.write_text((TUTORIALS / f"{name}.md").read_text().replace("8765", str(port)))

    said = lesson("run", tutorial, "--allow", "shell", "--json")

    steps = said.json["steps"]
    assert [step["status"] for step in steps] == STATUSES[name].split(), [
        (step["id"], step["status"], step["message"]) for step in steps
    ]
    assert (said.code, said.json["status"]) == (0, "passed")
    assert list(home.iterdir()) == []
