"""Nothing is imported from the current folder, which may be a stranger's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lesson_runner.execute.python import python_code, python_module
from lesson_runner.testing import lesson_text

LURED = "import os, pathlib; pathlib.Path(os.environ['LURED']).touch()\nraise SystemExit('lured')\n"
MODULES = (
    "yaml",
    "typer",
    "json",
    "lesson_mine",
    "lesson_ct4",
    "multiprocessing",
    "pickle",
    "platform",
    "tempfile",
)
SCRIPT = Path(sys.executable).with_name("lesson")


@pytest.fixture
def lure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules of known names, an installed plugin's data, and lessons."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LURED", str(tmp_path / "lured"))
    monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(LURED)
    about = tmp_path / "lesson_mine-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lesson-mine\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[lesson_runner]\nmine = lesson_mine\n")
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(lesson_text("text\n", id=name))
    return tmp_path / "lured"


MODULE = (sys.executable, "-m", "lesson_runner")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "words"),
    [
        (MODULE, ["validate", "."]),
        (MODULE, ["doctor"]),
        (MODULE, ["plugins"]),
        ([str(SCRIPT)], ["validate", ".", "--jobs", "2"]),
        ([str(SCRIPT)], ["plugins"]),
    ],
    ids=lambda words: " ".join(words[-3:]).rpartition("/")[2],
)
def test_what_lies_there_is_not_imported(lure: Path, start: Sequence[str], words: Sequence[str]) -> None:
    if not Path(start[0]).exists():
        pytest.skip("the script is not installed next to Python")
    done = subprocess.run([*start, *words], capture_output=True, text=True, check=False)
    assert not lure.exists(), done
    assert done.returncode in (0, 1), done
    assert "lesson-mine" not in done.stdout + done.stderr


def test_what_the_user_names_is_imported(lure: Path) -> None:
    """PYTHONPATH is the user's own word."""
    env = {**os.environ, "PYTHONPATH": str(lure.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", "plugins"], env=env, capture_output=True, check=False
    )
    assert lure.exists(), done


def test_python_that_is_started(lure: Path) -> None:
    for command in (
        python_code("import json, sys; print(sys.argv)", "a"),
        python_module("json.tool", "--help"),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, lure.exists()) == (0, False), done
