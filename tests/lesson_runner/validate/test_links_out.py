"""Links in a folder from a stranger: their targets are not quoted, and `--fix` does not change them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

Command = Callable[..., Any]
DAMAGED = lesson_text("# A\n\nThat is itâ€™s own fault.\n")


@pytest.mark.parametrize(
    "command", [("validate", "{}"), ("run", "{}/a.md"), ("plan", "{}/a.md"), ("show", "{}/a.md")]
)
@pytest.mark.parametrize("name", ["credentials", ".env", "environ"])
def test_a_link_to_another_kind_of_file_is_not_read(
    lesson: Command, tmp_path: Path, command: tuple[str, str], name: str
) -> None:
    secret = tmp_path / name
    secret.write_text("open sesame 4711\n", "utf-8")
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "a.md").symlink_to(secret)
    said = lesson(command[0], command[1].format(folder))
    assert said.code in (1, 2)
    assert "sesame" not in said.out + said.err
    assert "is a link to" in said.out + said.err


def test_a_link_to_a_lesson_is_read(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text(lesson_text("# A\n\n```text\nx\n```\n"), "utf-8")
    (tmp_path / "a.md").symlink_to("real.md")
    assert lesson("show", "a.md").code == 0


def test_fix_changes_nothing_outside_the_current_folder(
    lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.md"
    mine.write_text(DAMAGED, "utf-8")
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "a.md").symlink_to(mine)
    monkeypatch.chdir(folder)
    said = lesson("validate", ".", "--fix")
    assert said.code == 2
    assert mine.read_text("utf-8") == DAMAGED
    assert str(mine) in said.err
    assert lesson("validate", mine, "--fix").code in (0, 1)
    assert mine.read_text("utf-8") != DAMAGED
