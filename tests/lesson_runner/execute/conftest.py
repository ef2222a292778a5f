"""Fixtures that run commands and blocks, and check which processes are alive."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.execute.evaluation import CommandResult
from lesson_runner.execute.sandbox import open_sandbox
from lesson_runner.execute.terminal import Terminal
from lesson_runner.model.errors import LessonError
from lesson_runner.testing import lesson_text


def ignore(line: str) -> None:
    pass


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals, and closes them after the test."""
    opened: list[Terminal] = []

    def open_terminal(**options: Any) -> Terminal:
        options = {"env": dict(os.environ), **options}
        opened.append(Terminal(tmp_path / "shell", tmp_path / "files", **options))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


@pytest.fixture
def bash(terminals: Callable[..., Terminal]) -> Callable[..., CommandResult]:
    """Evaluates blocks one after another in one terminal; each is a step of its own."""
    terminal: list[Terminal] = []
    count = 0

    def evaluate(
        script: str, *, seconds: float | None = None, env: dict[str, str] | None = None, **options: Any
    ) -> CommandResult:
        nonlocal count
        count += 1
        if not terminal:
            terminal.append(terminals() if env is None else terminals(env=env))
        deadline = None if seconds is None else time.monotonic() + seconds
        return terminal[0].run(
            script, **{"step": f"s{count}", "on_line": ignore, "deadline": deadline, **options}
        )

    return evaluate


@pytest.fixture
def alive() -> Callable[[str | int], bool]:
    """Returns whether a process is alive, according to the system and not to the code under test."""

    def is_alive(pid: str | int) -> bool:
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return bool(found) and not found.startswith("Z")

    return is_alive


STEP = "<!-- step\nid: {}\noptional: true\ntimeout: {}\n-->\n```{}\n{}\n```\n"


@cache
def why_not() -> str:
    """Return why this machine cannot create a sandbox; empty if it can."""
    try:
        open_sandbox()
    except LessonError as error:
        return str(error)
    return ""


@pytest.fixture
def bubblewrap() -> None:
    """Skips if this machine cannot create a sandbox."""
    if why_not():
        pytest.skip(why_not())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with private files."""
    folder = tmp_path / "me"
    for name in (
        ".ssh/id_ed25519",
        ".aws/credentials",
        ".config/lesson-runner/keys/me.pem",
        ".netrc",
        "diary",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kumquat")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kube").write_text("kumquat")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "elsewhere" / "kube"))
    return folder


@pytest.fixture
def steps(lesson: Callable[..., Any], tmp_path: Path) -> Callable[..., dict[str, tuple[str, str]]]:
    """Runs blocks of a lesson; returns the status and the output of each step."""

    def run(*blocks: str, language: str = "bash", timeout: str = "30s", options: tuple[str, ...] = ()) -> Any:
        body = "".join(STEP.format(f"s{n}", timeout, language, block) for n, block in enumerate(blocks, 1))
        (tmp_path / "a.md").write_text(lesson_text(body))
        said = lesson("run", "a.md", "--allow", "shell", "--sandbox", "--json", *options)
        assert said.code == 0, said
        evidence = tmp_path / ".lesson" / "runs" / said.json["run_id"] / "evidence"
        return {
            step["id"]: (step["status"], (evidence / step["id"] / "output.txt").read_text())
            for step in said.json["steps"]
        }

    return run


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """A file system socket that this user can reach, in a folder that no sandbox hides."""
    folder = Path(__file__).parent / f"socket-{os.getpid()}"
    folder.mkdir()
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(folder / "s"))
            server.listen()
            yield folder / "s"
    finally:
        shutil.rmtree(folder)
