"""An environment in which Python or its libraries do not work as usual: never a traceback, never our bug."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.running import Ran, events_of, only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.testing import lesson_text

Command = Callable[..., Ran]
AREA = "surroundings"
RAISES = "raise RuntimeError('another module')\n"


@pytest.fixture(autouse=True)
def _lesson(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(shell("one", "echo said", expect="[{contains: said}]")))


@pytest.mark.slow
@fault(
    AREA,
    "a module in PYTHONPATH hides one that lesson needs",
    how="a folder in PYTHONPATH with an own `yaml.py`, `pluggy.py`, `typer.py` or `json.py`",
    seen="the file that hides the module, and how to fix it, exit code 2",
    survives="everything: nothing is started",
)
@pytest.mark.parametrize(
    ("name", "source"),
    [("yaml", RAISES), ("pluggy", RAISES), ("typer", ""), ("json", ""), ("random", ""), ("markdown_it", "")],
    ids=["yaml", "pluggy", "empty-typer", "empty-json", "empty-random", "empty-markdown-it"],
)
def test_a_module_that_hides_ours(command: Command, tmp_path: Path, name: str, source: str) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / f"{name}.py").write_text(source)
    said = command("validate", "a.md", env={"PYTHONPATH": str(folder)})
    assert said.code == 2
    error, fix = said.err.splitlines()
    assert error.startswith(f"error: {folder / name}.py hides the module '{name}'")
    assert "PYTHONPATH" in fix


@pytest.mark.slow
def test_a_package_that_hides_ours(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "other" / "yaml" / "__init__.py"
    file.parent.mkdir(parents=True)
    file.write_text("")
    said = command("validate", "a.md", env={"PYTHONPATH": str(file.parents[1])})
    assert (said.code, said.err.split(" hides ")[0]) == (2, f"error: {file}")


@pytest.mark.slow
def test_a_library_that_is_missing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys\nsys.modules['yaml'] = None\n")
    said = command("validate", "a.md")
    assert said.code == 2
    assert "yaml" in said.err.splitlines()[0]
    assert said.err.splitlines()[1].startswith("fix: install lesson-runner again")


@pytest.mark.slow
def test_modules_in_pythonpath_that_hide_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "helper.py").write_text(RAISES)
    assert command("validate", "a.md", env={"PYTHONPATH": str(tmp_path / "other")}).code == 0


SETTINGS = [
    {"PYTHONINSPECT": "1"},
    {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONSAFEPATH": "1"},
    {"HOME": "", "TERM": "", "COLUMNS": "0", "TMPDIR": "/nowhere", "LC_ALL": "C", "PYTHONUTF8": "0"},
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
def test_settings_that_change_nothing(command: Command, tmp_path: Path, settings: dict[str, str]) -> None:
    said = command("run", "a.md", "--allow", "shell", env=settings)
    assert (said.code, said.err) == (0, "")
    assert told(record_of(only_run(tmp_path / ".lesson"))) == {"one": "passed"}
    assert command("--help", env=settings).code == 0


@pytest.mark.slow
@fault(
    AREA,
    "a standard stream is open the wrong way round",
    how="`0>/dev/null`, `1</dev/null`, `2</dev/null`",
    seen="everything that goes to the other streams; the exit code does not change",
    survives="the run, its record and events",
)
@pytest.mark.parametrize("streams", ["0>/dev/null", "1</dev/null", "0>/dev/null 1</dev/null 2</dev/null"])
def test_streams_that_are_open_the_wrong_way_round(command: Command, tmp_path: Path, streams: str) -> None:
    before = ["sh", "-c", f'exec "$@" {streams}', "sh"]
    assert command("run", "a.md", "--allow", "shell", before=before).code == 0
    folder = only_run(tmp_path / ".lesson")
    assert told(record_of(folder)) == {"one": "passed"}
    assert events_of(folder)[-1]["event"] == "run-finished"
    (tmp_path / "bad.md").write_text("---\nid: bad\n")
    assert [command("validate", name, before=before).code for name in ("a.md", "bad.md")] == [0, 1]


@pytest.mark.slow
@fault(
    AREA,
    "the reader of standard output goes away",
    how="a pipe whose reading end is closed",
    seen="nothing; the exit code is that of the command, as without the pipe",
    survives="the command goes on to its end",
)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["validate", "a.md"], 0),
        (["validate", "bad.md"], 1),
        (["validate", "bad.md", "--json"], 1),
        (["plan", "nowhere.md"], 2),
        (["--help"], 0),
        (["schema"], 0),
    ],
    ids=str,
)
def test_a_reader_that_is_gone(command: Command, tmp_path: Path, arguments: list[str], code: int) -> None:
    (tmp_path / "bad.md").write_text("---\nid: bad\n")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = command(*arguments, stdout=writing)
    finally:
        os.close(writing)
    assert said.code == code
    assert "Broken pipe" not in said.err
