"""Reading policies: the built-in ones, and files with mistakes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.certify.policy import Policy, check_name, load_policy, required_policies, shipped_policies
from lesson_runner.files.canonical import canonical
from lesson_runner.model.errors import InvalidLessonError, LessonError

MINE = {"policy_version": 1, "name": "mine", "summary": "s", "classes": ["host", "silicon"], "passes": 2}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(json.dumps(MINE))
    return tmp_path


def refused(name: str) -> tuple[str, str | None]:
    """Return the error about a policy that cannot be read, and its fix."""
    with pytest.raises(LessonError) as caught:
        load_policy(name)
    return str(caught.value), caught.value.fix


def test_properties_of_a_policy() -> None:
    policy = Policy(MINE)
    assert (policy.name, policy.classes, policy.passes) == ("mine", ("host", "silicon"), 2)
    assert policy.digest == hashlib.sha256(canonical(MINE)).hexdigest()
    assert Policy(dict(reversed(MINE.items()))).digest == policy.digest


def test_built_in_policies() -> None:
    found = shipped_policies()
    assert list(found) == ["board", "emulated", "simulator"]
    assert all(policy.name == name for name, policy in found.items())
    assert load_policy("board") == found["board"]


@pytest.mark.usefixtures("here")
def test_an_unknown_name() -> None:
    message, fix = refused("bord")
    assert message == "--policy bord: no such policy"
    assert fix == "did you mean 'board'?; or name a .yaml file"
    assert refused("x")[1] == "one of: board, emulated, simulator; or name a .yaml file"


@pytest.mark.parametrize("name", ["mine.yaml", "./mine.yaml", "mine.yml", "sub/mine"])
def test_a_file(here: Path, name: str) -> None:
    path = here / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(MINE))
    assert load_policy(name) == Policy(MINE)


def test_a_file_with_windows_line_ends(here: Path) -> None:
    rows = ["policy_version: 1", "name: mine", "summary: |", "  one", "  two", "classes: [host]", "passes: 1"]
    (here / "mine.yaml").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())
    assert load_policy("mine.yaml").content["summary"] == "one\ntwo\n"


def test_a_file_that_cannot_be_read(here: Path) -> None:
    assert refused("none.yaml") == ("--policy none.yaml: no such file", None)
    (here / "folder.yaml").mkdir()
    assert refused("folder.yaml")[0] == "--policy folder.yaml: cannot be read: it is not a plain file"
    (here / "mine.yaml").write_bytes(b"\xff")
    assert refused("mine.yaml")[0].startswith(
        "--policy mine.yaml: cannot be read: 'utf-8' codec can't decode"
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("name: mine\n", 1, "policy: 'classes' is missing"),
        ("# nothing\n", 1, "policy: null is not a mapping"),
        ("- a\n", 1, 'policy: ["a"] is not a mapping'),
        ("\npasses: [\n", 2, "not valid YAML: a value is missing"),
        (json.dumps(MINE).replace("{", "{\n").replace("2", "0"), 2, "policy: passes: 0 is less than 1"),
        (json.dumps({**MINE, "pases": 2}), 1, "policy: unknown key 'pases'"),
    ],
)
def test_a_file_that_does_not_follow_the_schema(here: Path, text: str, line: int, message: str) -> None:
    (here / "mine.yaml").write_text(text)
    with pytest.raises(InvalidLessonError, match=r"^the policy does not validate") as caught:
        load_policy("mine.yaml")
    first = caught.value.diagnostics[0]
    assert (str(first.location.path), first.location.line) == ("mine.yaml", line)
    assert first.message.startswith(message)


def test_required_policies(here: Path) -> None:
    names = [policy.name for policy in required_policies(["mine.yaml", "board"])]
    assert names == ["board", "emulated", "simulator", "mine", "board"]


def test_the_name_of_a_built_in_policy() -> None:
    check_name(Policy(MINE))
    board = shipped_policies()["board"]
    check_name(board)
    weaker: dict[str, Any] = {**board.content, "passes": 1}
    with pytest.raises(LessonError) as caught:
        check_name(Policy(weaker))
    assert str(caught.value) == ("policy 'board' differs from the built-in policy of that name")
    assert caught.value.fix == "give it another 'name'"
