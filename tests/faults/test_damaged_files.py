"""Checkpoints, records and events that were damaged: every region, and every way that a disk does it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.faults.running import only_run, shell, tree
from tests.lesson_ct4.test_checkpoint import small
from tests.lesson_ct4.test_reuse import LESSON, PLAY, STAGES, content
from tests.reliability import fault

import lesson_ct4.plugin
from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_runner.testing import lesson_text, run_lesson

AREA = "damaged files"
Lesson = Callable[..., Any]
Damage = Callable[[bytes], bytes]


def flipped(at: Callable[[bytes], int]) -> Damage:
    """Return what changes one byte."""

    def damage(data: bytes) -> bytes:
        place = at(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return damage


def header_end(data: bytes) -> int:
    return 8 + int(struct.unpack("<Q", data[:8])[0])


def inside(tensor: str) -> Callable[[bytes], int]:
    """Return what finds the first byte of a tensor."""

    def find(data: bytes) -> int:
        header = json.loads(data[8 : header_end(data)])
        return header_end(data) + int(header[tensor]["data_offsets"][0])

    return find


TENSORS = (
    "parameters/NanoGPT/fc/weight",
    "parameters/NanoGPT/ln_f_gamma",
    "optimizer/exp_avg/NanoGPT/fc/weight",
    "history/loss",
    "history/seconds",
)


def byte(number: int) -> Damage:
    """Return what changes the byte at a place."""
    return flipped(lambda _: number)


def word(text: bytes) -> Damage:
    """Return what changes the middle of a word of the header."""
    return flipped(lambda data: data.index(text) + len(text) // 2)


REGIONS: dict[str, Damage] = {
    **{f"byte {n} of the header's length": byte(n) for n in range(8)},
    "the header's first byte": flipped(lambda _: 8),
    "the header's last byte": lambda data: data[: header_end(data) - 1] + b"x" + data[header_end(data) :],
    **{
        f"the header's {text.decode()}": word(text)
        for text in (b"dtype", b"shape", b"data_offsets", b"__metadata__", b"sha256", b"NanoGPT", b"BF16")
    },
    "a shape": lambda data: data.replace(b"[1,1,2,3]", b"[1,1,3,2]", 1),
    "the settings": lambda data: data.replace(b"learning_rate", b"learning_rats", 1),
    "the vocabulary": flipped(lambda data: data.index(b"tokenizer") + 20),
    **{f"the tensor {name}": flipped(inside(name)) for name in TENSORS},
    "the last byte": flipped(lambda data: len(data) - 1),
    "bytes after the end": lambda data: data + b"\0\0\0\0",
    "zeros all over": lambda data: bytes(len(data)),
    "empty": lambda _: b"",
    "cut in the length": lambda data: data[:5],
    "cut after the length": lambda data: data[:8],
    "cut in the header": lambda data: data[:100],
    "cut after the header": lambda data: data[: header_end(data)],
    "cut in a tensor": lambda data: data[: header_end(data) + 7],
    "cut before the last byte": lambda data: data[:-1],
}


@fault(
    AREA,
    "a checkpoint",
    how="a byte of each region changed (length, header, metadata, tensors, tail); cut, emptied, zeroed",
    seen="`is not a usable checkpoint`, with the reason and the fix; exit code 2",
    survives="the file, unchanged; nothing in it is used",
)
@pytest.mark.parametrize("region", REGIONS)
def test_a_damaged_checkpoint(lesson: Lesson, tmp_path: Path, region: str) -> None:
    path = tmp_path / ".lesson" / "files" / "checkpoints" / "model.safetensors"
    save_checkpoint(path, small())
    whole = path.read_bytes()
    damaged = REGIONS[region](whole)
    assert damaged != whole
    path.write_bytes(damaged)
    command = ("ct4", "generate", "--model_path", "model", "--prompt", "to be", "--backend", "emulated")
    said = lesson(*command, plugins=[lesson_ct4.plugin])
    assert (said.code, said.out) == (2, "")
    assert f"{path} is not a usable checkpoint: " in said.err
    assert "fix: train again, or use another checkpoint" in said.err
    assert tree(path.parent) == {path.name: damaged}


CHECKPOINT_CACHE = ("the header's sha256", "cut in the header")


@pytest.mark.slow
@pytest.mark.torch
@fault(
    AREA,
    "the checkpoints that a training left for later runs",
    how="each region in turn, in all files of `.lesson/checkpoint-cache`",
    seen="`Note: not reused`, with the reason; the stage is trained from scratch",
    survives="the run; the result of training from scratch is the same, bit for bit",
)
def test_a_damaged_checkpoint_cache(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(PLAY)
    options: dict[str, Any] = {"plugins": [lesson_ct4.plugin], "backend": "emulated"}
    params = [f"dataset={tmp_path / 'play.txt'}"]
    assert run_lesson(LESSON, tmp_path, params=params, **options)["status"] == "passed"
    files = last_files(tmp_path / ".lesson") / "checkpoints"
    before = {name: content(files / f"{name}.safetensors") for name in STAGES}
    for region in CHECKPOINT_CACHE:
        for path in (tmp_path / ".lesson" / "checkpoint-cache").glob("*/*.safetensors"):
            data = REGIONS[region](path.read_bytes())
            path.unlink()  # it may be the stage's own checkpoint by another name
            path.write_bytes(data)
        record = run_lesson(LESSON, tmp_path, params=params, start="short", until="short", **options)
        short = next(step for step in record["steps"] if step["id"] == "short")
        assert (short["status"], short["metrics"]["reused_steps"]) == ("passed", 0), region
        output = tmp_path / ".lesson" / "runs" / record["run_id"] / "evidence" / "short" / "output.txt"
        assert output.read_text().count("Note: not reused: ") >= 1, region
        made = content(files / "short.safetensors")
        assert (made[:3], made[4:]) == (before["short"][:3], before["short"][4:])  # all but how long it took
        assert load_checkpoint(files / "long.safetensors").step == STAGES["long"]


SPOILT: dict[str, Damage] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "cut before its last line": lambda data: data.rstrip()[:-1],
    "zeros": lambda data: bytes(len(data)),
    "zeros at its end": lambda data: data[:-64] + bytes(64),
    "garbage": lambda _: bytes(range(256)) * 8,
    "another file": lambda _: b'{"fine": "but no record"}',
    "a changed verdict": lambda data: data.replace(b'"exit_code": 0', b'"exit_code": "0"', 1),
}


@pytest.fixture
def ran(lesson: Lesson, tmp_path: Path) -> Path:
    """The folder of a run that passed."""
    (tmp_path / "a.md").write_text(lesson_text(shell("one", "echo hi", expect="[{contains: hi}]")))
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    return only_run(tmp_path / ".lesson")


@fault(
    AREA,
    "a run's record",
    how="emptied, cut, zeroed, garbage, another file; for `report`, `compare`, `certify --from-run`, `runs`",
    seen="the file, the reason, the fix; exit code 2 (`runs` lists it as unfinished)",
    survives="other runs, and all files, unchanged",
)
@pytest.mark.parametrize("how", SPOILT)
def test_a_damaged_record(lesson: Lesson, ran: Path, tmp_path: Path, how: str) -> None:
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    path = ran / "record.json"
    path.write_bytes(SPOILT[how](path.read_bytes()))
    before = tree(ran.parent)
    commands = (
        ("report", ran.name),
        ("report", ran.name, "--format", "html"),
        ("compare", ran.name, "latest"),
        ("certify", "a.md", "--from-run", ran.name, "--policy", "emulated"),
    )
    for command in commands:
        said = lesson(*command)
        assert (said.code, said.out) == (2, ""), command
        assert f"{path.relative_to(tmp_path)}: " in said.err.splitlines()[0], command
        assert (
            "fix: the file was changed or damaged: restore the original, or run the lesson again\n"
            in said.err
        )
        assert "Traceback" not in said.err
    listed = {item["run_id"]: item["status"] for item in lesson("runs", "--json").json}
    assert listed.pop(ran.name) == ("passed" if how == "a changed verdict" else "unfinished")
    assert list(listed.values()) == ["passed"]
    assert tree(ran.parent) == before


@fault(
    AREA,
    "a run's events",
    how="emptied, cut in the last line, zeroed completely and in part, garbage",
    seen="nothing: commands read the record",
    survives="the record, and everything made from it",
)
@pytest.mark.parametrize("how", SPOILT)
def test_damaged_events(lesson: Lesson, ran: Path, how: str) -> None:
    whole = lesson("report", ran.name).out
    path = ran / "events.jsonl"
    path.write_bytes(SPOILT[how](path.read_bytes()))
    assert lesson("report", ran.name).out == whole
    assert [item["status"] for item in lesson("runs", "--json").json] == ["passed"]
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    assert lesson("compare", ran.name, "latest").code == 0


def test_events_without_a_record_are_a_run_that_did_not_finish(lesson: Lesson, ran: Path) -> None:
    """As a power loss leaves it: no record, and half of the last line."""
    (ran / "record.json").unlink()
    path = ran / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    said = lesson("report")
    assert (said.code, said.out) == (2, "")
    assert "the run did not finish" in said.err
    assert [item["status"] for item in lesson("runs", "--json").json] == ["unfinished"]
