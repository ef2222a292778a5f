"""A disk that fills up under what takes long: a training, and a certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.disks import Disk
from tests.faults.running import Ran, leftovers, messages, only_run, record_of, shell, told, tree
from tests.lesson_ct4.test_reuse import PLAY, STAGE, TEXT
from tests.reliability import fault

from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.testing import lesson_text

AREA = "disk"
FULL = "No space left on device"
Command = Callable[..., Ran]
FILL = "head -c 100M /dev/zero > filler || true; truncate -s -{0}K filler"
"""Fills the disk but for some kilobytes."""


def trained(command: Command, disk: Disk, tmp_path: Path, *steps: str) -> tuple[Ran, Path]:
    """Run a stage, what is given, and another stage, on a disk of 64 MB."""
    (tmp_path / "play.txt").write_text(PLAY)
    stages = [STAGE.format(id="short", steps=4), *steps, STAGE.format(id="long", steps=6)]
    (tmp_path / "a.md").write_text(lesson_text(TEXT + "".join(stages)))
    said = command(
        *("run", tmp_path / "a.md", "--allow", "shell", "--json", "--backend", "emulated"),
        *("--param", f"dataset={tmp_path / 'play.txt'}"),
        plugins="ct4",
        before=disk.of("64m"),
    )
    return said, disk.content / ".lesson"


@pytest.mark.slow
@pytest.mark.torch
@fault(
    AREA,
    "the disk is full when a training saves its checkpoint",
    how="a step leaves 40 KB free on a file system",
    seen="`Note: the steps so far cannot be reused later`, then file, reason and fix; exit code 1",
    survives="the checkpoints of earlier stages, the loss curve, the record; no `.part`",
)
def test_no_room_for_a_checkpoint(command: Command, disk: Disk, tmp_path: Path) -> None:
    said, workspace = trained(command, disk, tmp_path, shell("fill", FILL.format(40)))
    assert (said.code, said.err) == (1, "")
    folder = only_run(workspace)
    record = record_of(folder)
    assert told(record) == {"text": "passed", "short": "passed", "fill": "passed", "long": "failed"}
    file = f"{disk.place}/.lesson/runs/{folder.name}/files/checkpoints/long.safetensors"
    assert messages(record)["long"] == f"{file} cannot be written: {FULL} (check disk space and permissions)"
    assert [path.name for path in (folder / "files" / "checkpoints").iterdir()] == ["short.safetensors"]
    assert load_checkpoint(folder / "files" / "checkpoints" / "short.safetensors").step == 4
    assert leftovers(workspace) == []
    evidence = folder / "evidence" / "long"
    assert "Note: the steps so far cannot be reused later: " in (evidence / "output.txt").read_text()
    assert len((evidence / "loss.csv").read_text().splitlines()) == 7


@pytest.mark.slow
@pytest.mark.torch
@fault(
    AREA,
    "the evidence folder of a training is removed, and cannot be created again",
    how="a process of a step puts a file in place of the folder",
    seen="the training's step: `error`, with the file; exit code 1",
    survives="the checkpoint: it is saved before any message about the evidence",
)
def test_a_training_whose_evidence_is_gone(command: Command, disk: Disk, tmp_path: Path) -> None:
    watch = (
        'cd "$LESSON_WORKSPACE"/evidence; '
        "(while [ ! -d long ]; do read -r -t 0.01 < /dev/zero || true; done; rm -rf long; : > long) &"
    )
    said, workspace = trained(command, disk, tmp_path, shell("watch", watch))
    assert (said.code, said.err) == (1, "")
    record = record_of(only_run(workspace))
    assert told(record) == {"text": "passed", "short": "passed", "watch": "passed", "long": "error"}
    assert "/evidence/long" in messages(record)["long"]
    assert load_checkpoint(only_run(workspace) / "files" / "checkpoints" / "long.safetensors").step == 6


@pytest.mark.slow
@fault(
    AREA,
    "the disk is full when a certificate is made",
    how="a file system that has space for the run, but not for a copy of it",
    seen="`cannot be copied`, the reason, and how to certify the same run later; exit code 2",
    survives="the run, byte for byte; no part of a certificate",
)
def test_no_room_for_a_certificate(command: Command, disk: Disk, tmp_path: Path) -> None:
    lesson = tmp_path / "a.md"
    large = "head -c 300000 /dev/zero | tr '\\0' x"
    lesson.write_text(lesson_text(shell("one", large, expect="[{contains: xxx}]")))
    assert command("cert", "keys", "new", "me").code == 0
    workspace = disk.content / ".lesson"
    assert command("run", lesson, "--allow", "shell", "--fresh", "--workspace", workspace).code == 0
    before = tree(workspace)
    certify = ("certify", lesson, "--from-run", "latest", "--policy", "emulated")
    said = command(*certify, before=disk.of("900k"))
    assert (said.code, said.out) == (2, "")
    assert f"cannot be copied: {FULL}" in said.err
    assert "fix: make room on the disk" in said.err
    assert tree(workspace) == before
    assert list((workspace / "certificates").iterdir()) == []
