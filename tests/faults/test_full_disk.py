"""A disk that fills up: a real one, of a megabyte or two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.disks import Disk
from tests.faults.running import (
    Ran,
    events_of,
    messages,
    only_run,
    record_of,
    shell,
    told,
    tree,
    typed,
)
from tests.reliability import fault

from lesson_runner.testing import lesson_text

AREA = "disk"
FULL = "No space left on device"
FILL = "head -c 100M /dev/zero > filler || true"
SAID = f"{FILL}; printf '%20000s\\n' x"
"""More than there is room for where the state before it stood."""
Command = Callable[..., Ran]
Install = Callable[[str], str]

WHILE_IT_RUNS = """
import pathlib
from lesson_runner.plugins import *

def act(params, context):
    filler = context.workspace.files / "filler"
    context.say("before")
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    for number in range(99):
        context.say(f"lost {number} {'.' * 200}")
    filler.unlink()
    context.say("after")
    return Outcome()

@hookimpl
def lesson_actions():
    return [Action("theirs.act", "Act", act, self_judging=True)]
"""


def written(folder: Path, *steps: str) -> Path:
    path = folder / "a.md"
    path.write_text(lesson_text("".join(steps)))
    return path


@pytest.mark.slow
@fault(
    AREA,
    "the disk becomes full during a run, and stays full",
    how="a step fills a file system of 2 MB",
    seen="this step and later ones: `error`, with the file and `make room on the disk`; exit code 1",
    survives="the record (space is reserved for it), the evidence and events of earlier steps",
)
def test_what_was_done_before_is_recorded(command: Command, disk: Disk, tmp_path: Path) -> None:
    lesson = written(tmp_path, shell("one", "echo first"), shell("two", SAID), shell("three", "echo third"))
    said = command("run", lesson, "--allow", "shell", before=disk.of("2m"))
    assert (said.code, said.err) == (1, "")
    folder = only_run(disk.content / ".lesson")
    record = record_of(folder)
    assert told(record)["one"] == "passed"
    assert told(record)["two"] == "error"
    assert told(record)["three"] in ("error", "failed")  # it needs the terminal that 'two' could not store
    for name in ("two", "three"):
        assert f"{FULL.lower()} (make room on the disk)" in messages(record)[name].lower()
    assert set(record["steps"][0]["artifacts"]) == {"evidence/one/output.txt", "evidence/one/script.sh"}
    assert [item["event"] for item in events_of(folder)][:4] == [
        "run-started",
        "step-started",
        "output",
        "step-finished",
    ]
    assert "make room on the disk" in said.out


@pytest.mark.slow
@fault(
    AREA,
    "the disk is full for a while",
    how="an action fills the disk, prints something, and frees the space again",
    seen="nothing; `events.jsonl` has a line `events-lost` with the number of lost events and the reason",
    survives="the step, its output and evidence, all other events",
)
def test_events_that_are_lost_are_counted(
    command: Command, disk: Disk, install: Install, tmp_path: Path
) -> None:
    lesson = written(tmp_path, typed("one", "theirs.act"))
    said = command("run", lesson, plugins=install(WHILE_IT_RUNS), before=disk.of("2m"))
    assert (said.code, said.err) == (0, "")
    folder = only_run(disk.content / ".lesson")
    assert told(record_of(folder)) == {"one": "passed"}
    assert "lost 98" in (folder / "evidence" / "one" / "output.txt").read_text()
    kinds = [(item["event"], item.get("text", item.get("reason", ""))) for item in events_of(folder)]
    lost = kinds.index(("events-lost", FULL))
    said_in_time = [text for kind, text in kinds if kind == "output"]
    assert len(said_in_time) < 50  # there may be room left in the file's last block
    assert said_in_time[0] == "before"
    assert said_in_time[-1] == "after"
    assert events_of(folder)[lost]["events"] + len(said_in_time) == 101


@pytest.mark.slow
@fault(
    AREA,
    "the disk is full from the start",
    how="a file system of 64 KB",
    seen="`cannot reserve disk space for the record of the run`, with the folder and the fix; exit code 2",
    survives="everything: no step is started, and no run folder is left behind",
)
def test_nothing_is_begun_without_room_for_the_record(command: Command, disk: Disk, tmp_path: Path) -> None:
    lesson = written(tmp_path, shell("one", "echo first"))
    said = command("run", lesson, "--allow", "shell", "--json", before=disk.of("64k"))
    assert (said.code, said.out) == (2, "")
    assert (
        f"cannot reserve disk space for the record of the run: {FULL}\nfix: make room on the disk" in said.err
    )
    assert list(tree(disk.content)) == []
    assert list((disk.content / ".lesson" / "runs").iterdir()) == []


@pytest.mark.slow
@fault(
    AREA,
    "no inode is left for another file",
    how="a step creates files until a file system of 60 inodes has none left",
    seen="the step: `error`, with the file and the fix; exit code 1",
    survives="the record, for which a file is reserved; events",
)
def test_a_disk_without_another_file(command: Command, disk: Disk, tmp_path: Path) -> None:
    lesson = written(tmp_path, shell("one", "for n in $(seq 99); do : > $n || true; done"))
    said = command("run", lesson, "--allow", "shell", before=disk.of("2m", nr_inodes=60))
    assert (said.code, said.err) == (1, "")
    folder = only_run(disk.content / ".lesson")
    message = messages(record_of(folder))["one"]
    assert message.endswith(f"/evidence/one/output.txt: {FULL} (make room on the disk)")
    assert events_of(folder)[-1]["event"] == "run-finished"


@pytest.mark.slow
@fault(
    AREA,
    "files may not be larger than 200 KB",
    how="`ulimit -f`, and a step that prints 400 KB",
    seen="the step: `error`, `File too large`, with `ulimit -f`; exit code 1",
    survives="the record, other steps, whole lines of the events that fit",
)
def test_a_limit_on_the_size_of_files(command: Command, tmp_path: Path) -> None:
    lesson = written(
        tmp_path,
        shell("one", "echo first"),
        shell("two", "head -c 400000 /dev/zero | tr '\\0' x | fold -w 4000"),
        shell("three", "echo third"),
    )
    limited = ["bash", "-c", 'ulimit -f 200; exec "$@"', "bash"]
    said = command("run", lesson, "--allow", "shell", "--json", before=limited)
    assert (said.code, said.err) == (1, "")
    folder = only_run(tmp_path / ".lesson")
    record = record_of(folder)
    assert said.json == record
    assert told(record) == {"one": "passed", "two": "error", "three": "passed"}
    assert (
        "File too large (the file would be larger than this system allows: see 'ulimit -f')"
        in messages(record)["two"]
    )
    assert not (folder / "evidence" / "two" / "output.txt").exists()
    assert events_of(folder)


OUTPUT = [
    (
        ["run", "a.md", "--allow", "shell"],
        0,
        "standard output cannot be written: {}; the command continues\n",
    ),
    (["run", "a.md", "--allow", "shell", "--json"], 2, "the output: cannot be written: {}\nfix: make room"),
    (["plugins"], 2, "the output: cannot be written: {}\nfix: make room on the disk\n"),
    (["schema", "record"], 2, "the output: cannot be written: {}\nfix: make room on the disk\n"),
]


@pytest.mark.slow
@fault(
    AREA,
    "standard output is a file on a full disk",
    how="`/dev/full`",
    seen="one line that says so; a run continues and its exit code does not change, other "
    "commands exit with code 2",
    survives="the run, its record and evidence",
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(("arguments", "code", "says"), OUTPUT, ids=lambda item: str(item)[:20])
def test_output_that_cannot_be_written(
    command: Command, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    written(tmp_path, shell("one", "echo first"))
    with Path("/dev/full").open("w") as full:
        said = command(*arguments, stdout=full)
    assert (said.code, said.err.startswith(f"error: {says.format(FULL)}")) == (code, True), said
    if arguments[0] == "run":
        assert told(record_of(only_run(tmp_path / ".lesson"))) == {"one": "passed"}
