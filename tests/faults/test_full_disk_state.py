"""A disk that is full when a step's terminal is to be remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.disks import Disk
from tests.faults.running import Ran, messages, only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.testing import lesson_text

Command = Callable[..., Ran]
BIG = "big=$(head -c 200000 /dev/zero | tr '\\0' x); mkdir -p sub; cd sub"
SLOW = [pytest.param(size, marks=pytest.mark.slow) for size in (20, 80, 120, 180)]


@pytest.mark.slow
@fault(
    "disk",
    "the disk is too full to store the state of the terminal",
    how="a step leaves 20 to 180 KB free and has 200 KB of variables",
    seen="the step: `error`, with the fix; later steps of the terminal: `failed`",
    survives="the record and the evidence; no step runs in a different folder than it should",
)
@pytest.mark.parametrize("free", [8, 40, *SLOW])
def test_a_state_that_cannot_be_stored_is_an_error(
    command: Command, disk: Disk, tmp_path: Path, free: int
) -> None:
    fill = f"{BIG}; head -c {free}K /dev/zero > ../room; head -c 100M /dev/zero > ../filler; rm ../room; true"
    lesson = tmp_path / "a.md"
    steps = shell("one", fill, strict="true").replace("strict: true", "with: {strict: false}")
    lesson.write_text(lesson_text(steps + shell("two", "echo $PWD ${#big}")))
    said = command("run", lesson, "--allow", "shell", before=disk.of("2m"))
    assert said.code == 1, said
    record = record_of(only_run(disk.content / ".lesson"))
    assert told(record)["one"] == "error"
    assert "no space left on device" in messages(record)["one"].lower()
    assert told(record)["two"] in ("failed", "error")
    assert not list((disk.content / ".lesson").glob("runs/*/shell/state.new"))


@pytest.mark.slow
@fault(
    "disk",
    "a step removes the folder with the terminal's state",
    how="`rm -r` of that folder",
    seen="the step: `error`, the state of its terminal cannot be saved",
    survives="the record; the next step does not run in another folder",
)
def test_a_state_that_was_removed(command: Command, tmp_path: Path) -> None:
    lesson = tmp_path / "a.md"
    one = shell("one", "mkdir -p sub; cd sub; rm -r $LESSON_WORKSPACE/shell")
    lesson.write_text(lesson_text(one + shell("two", "pwd")))
    assert command("run", lesson, "--allow", "shell").code == 1
    record = record_of(only_run(tmp_path / ".lesson"))
    assert told(record) == {"one": "error", "two": "failed"}
    assert "the terminal cannot be saved" in messages(record)["one"]
    assert "step 'one'" in messages(record)["two"]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["exec true", "trap true EXIT; exit 0", "trap 'exit 0' EXIT"])
def test_a_step_that_never_stores_a_state_passes(command: Command, tmp_path: Path, end: str) -> None:
    lesson = tmp_path / "a.md"
    lesson.write_text(lesson_text(shell("one", "export A=1") + shell("two", end) + shell("three", "echo $A")))
    said = command("run", lesson, "--allow", "shell")
    assert said.code == 0, said


@pytest.mark.slow
def test_a_step_that_is_tried_again_starts_where_it_did(command: Command, tmp_path: Path) -> None:
    lesson = tmp_path / "a.md"
    one = "[ -e tried ] || { touch tried; rm -r $LESSON_WORKSPACE/shell; }; A=${A}x"
    lesson.write_text(lesson_text(shell("one", one, retries="1") + shell("two", "echo is $A")))
    said = command("run", lesson, "--allow", "shell")
    assert said.code == 0, said
    assert "is x\n" in said.out
