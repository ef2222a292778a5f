"""Folders that cannot be written, or that somebody removes while a lesson runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.disks import Disk, read_only, why_no_mounts
from tests.faults.running import (
    Ran,
    events_of,
    leftovers,
    messages,
    only_run,
    record_of,
    shell,
    told,
    tree,
)
from tests.reliability import fault

from lesson_runner.testing import lesson_text

AREA = "folders"
READ_ONLY = "Read-only file system"
Command = Callable[..., Ran]
mounts = pytest.mark.skipif(why_no_mounts() is not None, reason=str(why_no_mounts()))


def written(folder: Path, *steps: str) -> Path:
    path = folder / "a.md"
    path.write_text(lesson_text("".join(steps)))
    return path


def frozen(place: str) -> str:
    """Return what makes a folder read-only from within a step, for root as well."""
    return f"mount --bind {place} {place}; mount -o remount,bind,ro {place}"


@pytest.mark.slow
@mounts
@fault(
    AREA,
    "a workspace that is read-only",
    how="a read-only mount, which also stops root",
    seen="the folder, `Read-only file system`, and advice to name another folder; exit code 2",
    survives="everything: nothing is started",
)
def test_a_read_only_workspace(command: Command, tmp_path: Path) -> None:
    lesson = written(tmp_path, shell("one", "echo first"))
    (tmp_path / "place").mkdir()
    said = command(
        "run", lesson, "--allow", "shell", "--workspace", "place/w", before=read_only(tmp_path / "place")
    )
    assert (said.code, said.out) == (2, "")
    assert f": cannot be created: {READ_ONLY}\nfix: choose a writable folder with --workspace" in said.err
    assert tree(tmp_path / "place") == {}


@pytest.mark.slow
@mounts
@fault(
    AREA,
    "evidence becomes read-only during a run",
    how="a step mounts the folder read-only",
    seen="this step and later ones: `error`, with the file and the fix; exit code 1",
    survives="the record, the events, and the evidence of earlier steps",
)
def test_evidence_that_becomes_read_only(command: Command, disk: Disk, tmp_path: Path) -> None:
    evidence = frozen('"$LESSON_WORKSPACE"/evidence')
    lesson = written(tmp_path, shell("one", "echo first"), shell("two", evidence), shell("three", "echo 3"))
    said = command("run", lesson, "--allow", "shell", before=disk.of("2m"))
    assert (said.code, said.err) == (1, "")
    folder = only_run(disk.content / ".lesson")
    record = record_of(folder)
    assert told(record) == {"one": "passed", "two": "error", "three": "error"}
    for name in ("two", "three"):
        assert f": {READ_ONLY} (the file system is read-only: name another folder)" in messages(record)[name]
    assert [item["event"] for item in events_of(folder)].count("step-finished") == 3


@pytest.mark.slow
@mounts
@fault(
    AREA,
    "the run folder becomes read-only during a run",
    how="a step mounts it read-only",
    seen="`record.json: the record cannot be written`, with the fix; exit code 2",
    survives="the evidence of earlier steps; all events, which have every step's result; no partial record",
)
def test_a_record_that_cannot_be_written(command: Command, disk: Disk, tmp_path: Path) -> None:
    lesson = written(tmp_path, shell("one", "echo first"), shell("two", frozen('"$LESSON_WORKSPACE"')))
    said = command("run", lesson, "--allow", "shell", before=disk.of("2m"))
    assert said.code == 2
    folder = only_run(disk.content / ".lesson")
    assert f"{disk.place}/.lesson/runs/{folder.name}/record.json: the record cannot be written" in said.err
    assert f": {READ_ONLY}\nfix: the file system is read-only: name another folder" in said.err
    assert record_of(folder)["status"] == "unfinished"  # as it was when the run began
    assert leftovers(folder) == []
    assert (folder / "evidence" / "one" / "output.txt").read_text() == "first"
    events = events_of(folder)
    assert [item["status"] for item in events if item["event"] == "step-finished"] == ["passed", "error"]
    assert events[-1]["event"] == "run-finished"


GONE = [
    (
        "the evidence of a step",
        'rm -r "$LESSON_WORKSPACE"/evidence/two',
        ["passed", "error", "passed"],
    ),
    ("all evidence", 'rm -r "$LESSON_WORKSPACE"/evidence', ["passed", "error", "passed"]),
    ("the run's folder", 'rm -r "$LESSON_WORKSPACE"', ["passed", "error", "failed"]),
    ("the workspace", 'rm -r "${LESSON_WORKSPACE%/runs/*}"', ["passed", "error", "failed"]),
]


@pytest.mark.slow
@fault(
    AREA,
    "evidence, the run folder or the workspace is removed during a run",
    how="a step removes it",
    seen="that step: `error`, `was the folder removed while the lesson ran?`; exit code 1",
    survives="the record and later events, in a new folder; later steps, if the terminal's state "
    "still exists",
)
@pytest.mark.parametrize(("what", "script", "statuses"), GONE, ids=[item[0] for item in GONE])
def test_what_is_removed_in_mid_run(
    command: Command, tmp_path: Path, what: str, script: str, statuses: list[str]
) -> None:
    lesson = written(
        tmp_path, shell("one", "echo first"), shell("two", script), shell("three", "cd /; echo third")
    )
    said = command("run", lesson, "--allow", "shell", "--json")
    assert (said.code, said.err) == (1, "")
    assert list(told(said.json).values()) == statuses
    assert messages(said.json)["two"].endswith(
        "No such file or directory (was the folder removed while the lesson ran?)"
    )
    folder = only_run(tmp_path / ".lesson")
    assert leftovers(folder) == []
    assert (folder / "record.json").read_text() == said.out
    third = "third" if statuses[-1] == "passed" else ""
    assert (folder / "evidence" / "three" / "output.txt").read_text() == third
    finished = [item["step"] for item in events_of(folder) if item["event"] == "step-finished"]
    assert finished[-2:] == ["two", "three"]
