"""The tool that compares the table of the extension's commands with its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools.toolkit_commands import main

from lesson_tenstorrent.links.table import table


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    """Return a checkout that agrees with the table."""
    commands = table().commands
    declared = [{"command": name} for name, item in commands.items() if item.shows_nothing]
    package = {"name": "tt-vscode-toolkit", "contributes": {"commands": declared}}
    (tmp_path / "package.json").write_text(json.dumps(package))
    source = tmp_path / "src" / "views" / "buttons.ts"
    source.parent.mkdir(parents=True)
    calls = (
        f"registerCommand(\n  '{name}', run);\n" for name in commands if not commands[name].shows_nothing
    )
    source.write_text("".join(calls))
    for item in commands.values():
        for name in item.copies:
            (tmp_path / "content" / "templates" / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "content" / "a.md").write_text("[Save](command:workbench.action.save)\n")
    return tmp_path


def test_a_checkout_that_agrees(toolkit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(toolkit)]) == 0
    assert table().commit in capsys.readouterr().out


def test_every_difference_is_listed(toolkit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = toolkit / "src" / "views" / "buttons.ts"
    text = source.read_text().replace("tenstorrent.installFlask", "tenstorrent.installFlask3")
    source.write_text(text + 'registerCommand("tenstorrent.runVllmOffline", run)')
    (toolkit / "content" / "a.md").write_text(
        "[A](command:tenstorrent.linked) [B](command:tenstorrent.showFaq)\n"
    )
    (toolkit / "content" / "templates" / "tt-chat.py").rmdir()

    assert main([str(toolkit)]) == 1
    found = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert found == [
        "tenstorrent.installFlask3",
        "tenstorrent.linked",
        "tenstorrent.installFlask",
        "tenstorrent.runVllmOffline",
        "tenstorrent.createChatScript",
    ]


def test_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
