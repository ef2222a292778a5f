"""The action that copies the extension's templates, in real runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.lesson_tenstorrent.toolkit import button, make_toolkit

from lesson_runner.testing import ModuleEntryPoint, lesson_text
from lesson_tenstorrent import plugin

COOKBOOK = "tenstorrent.createCookbookProjects"
PLAY = """
<!-- step
id: play
expect: [{contains: "cells: 5"}]
-->
```bash
cd ~/tt-scratchpad/cookbook/game_of_life && python game_of_life.py
```
"""

PAGE = Path(__file__).parents[2] / "docs" / "published-lesson.md"

Run = Callable[..., dict[str, tuple[str, str]]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("TT_VSCODE_TOOLKIT", raising=False)
    return place


@pytest.fixture
def run(lesson: Callable[..., Any], home: Path, tmp_path: Path) -> Run:
    """Runs a lesson; returns each step's status and message."""

    def run(body: str, *options: object, folder: Path = tmp_path) -> dict[str, tuple[str, str]]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.md").write_text(lesson_text(body))
        point = ModuleEntryPoint(plugin, "tenstorrent")
        said = lesson("run", folder / "a.md", "--allow", "shell", "--json", *options, points=[point])
        return {step["id"]: (step["status"], step["message"]) for step in said.json["steps"]}

    return run


def statuses(steps: dict[str, tuple[str, str]]) -> list[str]:
    return [status for status, _ in steps.values()]


def test_a_lesson_that_begins_with_a_button_runs_to_its_end(run: Run, home: Path, tmp_path: Path) -> None:
    folder = make_toolkit(tmp_path / "toolkit") / "content" / "lessons"

    steps = run(button(COOKBOOK) + PLAY, folder=folder)

    assert steps == {"button.1": ("passed", ""), "button.2": ("passed", ""), "play": ("passed", "")}
    copied = home / "tt-scratchpad" / "cookbook"
    assert (copied / "a name with $(spaces)" / "notes.txt").read_text() == "kept as it is\n"
    assert (copied / ".env").read_text() == f"PYTHONPATH={home}/tt-metal\nTT_METAL_HOME={home}/tt-metal\n"
    assert not (copied / "__pycache__" / "old.pyc").exists()
    assert list(last_files(tmp_path / ".lesson").iterdir()) == []


def test_a_lesson_without_directives(run: Run, home: Path, tmp_path: Path) -> None:
    folder = make_toolkit(tmp_path / "toolkit") / "content" / "lessons"
    body = f"""
# Life

## Step 1: Create the project

[Create the project](command:{COOKBOOK}), or read the [questions](command:tenstorrent.showFaq) first.

## Step 2: Play

```bash
cd ~/tt-scratchpad/cookbook/game_of_life && python game_of_life.py
```

## Troubleshooting

[Reset the board](command:tenstorrent.resetDevice)
"""

    steps = run(body, folder=folder)

    assert steps == {"step-1.1": ("passed", ""), "step-1.2": ("passed", ""), "step-2": ("passed", "")}


def test_the_example_of_the_documentation(run: Run, home: Path, tmp_path: Path) -> None:
    make_toolkit(tmp_path)
    example = PAGE.read_text("utf-8").partition("````markdown\n")[2].partition("````\n")[0]

    steps = run(example + PLAY)

    assert list(steps) == ["create-projects.1", "create-projects.2", "copy-chat", "play"]
    assert set(statuses(steps)) == {"passed"}


def test_a_home_folder_that_the_lesson_sets(run: Run, home: Path, tmp_path: Path) -> None:
    make_toolkit(tmp_path)
    move = "<!-- step\nid: move\n-->\n```bash\nexport HOME=$PWD\n```\n\n"

    assert statuses(run(move + button(COOKBOOK) + PLAY)) == ["passed"] * 4
    assert not (home / "tt-scratchpad").exists()


def test_without_the_extension_its_steps_are_skipped(run: Run, home: Path) -> None:
    after = "<!-- step\nid: after\nexpect: [{contains: hi}]\n-->\n```bash\necho hi\n```\n"
    steps = run(button("tenstorrent.createChatScript") + after)

    assert [*map(str, statuses(steps))] == ["skipped", "passed"]
    assert "TT_VSCODE_TOOLKIT" in steps["button"][1]
    assert not (home / "tt-scratchpad").exists()


@pytest.mark.parametrize("how", ["variable", "parameter", "installed", "server"])
def test_where_the_extension_is_found(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    options: list[str] = []
    if how in ("installed", "server"):
        editor = home / (".vscode" if how == "installed" else ".vscode-server")
        make_toolkit(
            editor / "extensions" / "tenstorrent.tt-vscode-toolkit-0.0.1", templates="dist/content/templates"
        )
    else:
        folder = make_toolkit(tmp_path / "elsewhere")
        if how == "variable":
            monkeypatch.setenv("TT_VSCODE_TOOLKIT", str(folder))
        else:
            options = ["--param", "toolkit=elsewhere"]

    steps = run(button("tenstorrent.createChatScript"), *options, folder=tmp_path / "lessons")

    assert steps == {"button": ("passed", "")}
    script = home / "tt-scratchpad" / "tt-chat.py"
    assert script.read_text() == "print('hello')\n"
    assert script.stat().st_mode & 0o111


def test_a_folder_that_the_user_names_and_that_is_not_the_extension(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_toolkit(tmp_path)  # does not count, because the user says where to look
    monkeypatch.setenv("TT_VSCODE_TOOLKIT", str(tmp_path / "no-such-folder"))

    ((status, message),) = run(button("tenstorrent.createChatScript")).values()

    assert status == "skipped"
    assert str(tmp_path / "no-such-folder") in message


@pytest.mark.parametrize("template", ["no-such.py", "../../secret", "/etc/hostname", ".", "out"])
def test_what_is_not_a_template(run: Run, tmp_path: Path, home: Path, template: str) -> None:
    make_toolkit(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "content" / "templates" / "out").symlink_to(tmp_path / "secret")
    params = json.dumps({"templates": [template], "to": "~/a"})
    step = f"<!-- run\nid: copy\nuses: tenstorrent.copy_template\nwith: {params}\n```text\n```\n-->\n"

    assert statuses(run(step)) == ["skipped"]
    assert not (home / "a").exists()


def test_a_changed_file_is_kept(run: Run, home: Path, tmp_path: Path) -> None:
    make_toolkit(tmp_path)
    mine = home / "tt-scratchpad" / "tt-chat.py"
    mine.parent.mkdir()
    mine.write_text("print('mine')\n")
    twice = button("tenstorrent.createChatScript") + button(
        "tenstorrent.createChatScript", "again", expect=[{"contains": "kept"}]
    )

    assert statuses(run(twice)) == ["passed", "passed"]
    assert mine.read_text() == "print('mine')\n"


def test_a_template_that_cannot_be_read(run: Run, home: Path, tmp_path: Path) -> None:
    os.mkfifo(make_toolkit(tmp_path) / "content" / "templates" / "cookbook" / "pipe")

    steps = run(button(COOKBOOK))

    assert statuses(steps)[0] in ("failed", "error")
    assert f"{tmp_path}/content/templates/cookbook" in steps["button.1"][1]
    assert "named pipe" in steps["button.1"][1]
    assert "[(" not in steps["button.1"][1]
    assert not (home / "tt-scratchpad").exists()


def test_a_folder_that_cannot_be_made(run: Run, home: Path, tmp_path: Path) -> None:
    make_toolkit(tmp_path)
    (home / "tt-scratchpad").write_text("a file")

    assert statuses(run(button("tenstorrent.createChatScript"))) == ["failed"]


def test_the_command_that_the_user_is_asked_about(
    lesson: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text(lesson_text(button(COOKBOOK)))
    point = ModuleEntryPoint(plugin, "tenstorrent")

    told = lesson("plan", "a.md", "--json", points=[point]).json

    first, second = told["steps"]
    assert first["command"] == "cp -R -n tt-vscode-toolkit/content/templates/cookbook ~/tt-scratchpad/"
    assert "~/tt-scratchpad/cookbook/.env" in second["command"]
    assert lesson("run", "a.md", points=[point]).code != 0  # nobody allowed it
    assert not (home / "tt-scratchpad").exists()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_in_a_sandbox(run: Run, home: Path, tmp_path: Path) -> None:
    make_toolkit(home / "toolkit")  # the sandbox hides the home folder

    steps = run(button(COOKBOOK) + PLAY, "--sandbox", "--param", f"toolkit={home / 'toolkit'}")

    assert statuses(steps) == ["passed"] * 3
    assert not (home / "tt-scratchpad").exists()
