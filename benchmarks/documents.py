"""Running the code blocks of a document, compared with other tools; each variant is a whole command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.commands import LESSON, lesson_of, silent
from benchmarks.turns import Timing, in_turns

BLOCKS = 100
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
SYBIL = """
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"]).pytest()
"""


class Peer(NamedTuple):
    """A pytest plugin that runs the blocks of documents."""

    module: str
    flags: Sequence[str]
    conftest: str = ""


CODEBLOCKS = Peer("pytest_codeblocks", ("-p", "pytest_codeblocks.plugin", "--codeblocks"))


def shell(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """Measure 100 shell blocks; every tool runs each in a separate process."""
    del folder
    return _measure("bash", "echo done", {"pytest-codeblocks": CODEBLOCKS}, turns)


def python(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """Measure 100 Python blocks: peers run them in pytest's process, a lesson runs each in a separate one."""
    del folder
    peers = {
        "Sybil": Peer("sybil", (), SYBIL),
        "pytest-markdown-docs": Peer(
            "pytest_markdown_docs", ("-p", "pytest_markdown_docs.plugin", "--markdown-docs")
        ),
        "pytest-codeblocks": CODEBLOCKS,
    }
    return _measure("python", "print('done')", peers, turns)


def _measure(language: str, code: str, peers: Mapping[str, Peer], turns: int) -> tuple[str, list[Timing]]:
    missing = [name for name, peer in peers.items() if find_spec(peer.module) is None]
    what = f"{BLOCKS} blocks {code!r}{'; not installed: ' if missing else ''}{', '.join(missing)}"
    with tempfile.TemporaryDirectory() as made:
        ways: dict[str, Callable[[], object]] = {}
        for name, peer in peers.items():
            if name in missing:
                continue
            place = _place(Path(made) / peer.module, language, code)
            (place / "conftest.py").write_text(peer.conftest)
            ways[name] = _all_pass([*PYTEST, *peer.flags, "lesson.md"], place)
        place = _place(Path(made) / "lesson", language, code)
        ways["lesson run"] = silent([*LESSON, "run", "lesson.md", "--allow", "shell"], place)
        return what, in_turns(ways, turns)


def _place(folder: Path, language: str, code: str) -> Path:
    folder.mkdir()
    (folder / "lesson.md").write_text(lesson_of(BLOCKS, language, code))
    return folder


def _all_pass(command: Sequence[str], folder: Path) -> Callable[[], object]:
    """Return a call of pytest that raises unless every block was found and passed."""
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins take time too

    def call() -> object:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if f"{BLOCKS} passed" not in done.stdout:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done

    return call
