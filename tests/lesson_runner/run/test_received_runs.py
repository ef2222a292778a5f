"""Runs changed by an attacker are reported quickly and with little memory, and no other file is read."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said
from tests.reliability import fault
from tools.fuzz.seeds import World, make_world

MEMORY = 2 * 1024**3
"""Bytes of address space for a command; it needs a fifth of it as memory."""
CURVE = "evidence/stage-1/loss.csv"
PLAIN = "it is not a plain file"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("received")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LESSON_HOME", str(folder / "home"))
        patch.delenv("LESSON_WORKSPACE", raising=False)
        yield make_world(folder)


@pytest.fixture
def run(made: World, tmp_path: Path) -> Path:
    """Return a copy of the folder of a failed run, in a separate workspace."""
    copy = tmp_path / "workspace" / "runs" / "01-whole"
    shutil.copytree(made.run.with_name("01-whole"), copy)
    change(copy, lambda record: record.update(status="failed", run_id=copy.name))
    return copy


def change(run: Path, how: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((run / "record.json").read_text())
    how(record)
    (run / "record.json").write_text(json.dumps(record))


def lesson(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, which must answer, with little memory."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert done.returncode != 3, done.stderr
    return done


@pytest.fixture
def limited(
    installed_lesson: Callable[..., Said], made: World, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Runs a command in this process, which may take as much more memory meanwhile."""
    monkeypatch.chdir(made.folder)

    def run(*arguments: object) -> Said:
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
        try:
            said = installed_lesson(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        assert "Traceback" not in said.out + said.err, said.err
        assert said.code != 3, said.err
        return said

    return run


def to_zeros(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def to_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_a_terabyte(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(2**40)


def to_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def to_a_link_of_its_folder(path: Path) -> None:
    path.parent.rename(path.parents[1] / "elsewhere")
    path.parent.symlink_to(path.parents[1] / "elsewhere")


def to_a_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # its path is too long for a socket
        made.bind(path.name)
        os.chdir(here)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link": (to_zeros, PLAIN),
    "a pipe": (to_a_pipe, PLAIN),
    "a socket": (to_a_socket, PLAIN),
    "a terabyte": (to_a_terabyte, "it has 1,099,511,627,776 bytes"),
    "a folder behind a link": (to_a_link_of_its_folder, "'stage-1' in its path is not a folder"),
}


@fault(
    "files",
    "evidence of a received run",
    how="a link to `/dev/zero`, a pipe, a socket or a sparse file of 1 TB in its place; a linked folder",
    seen="the report, with a table of the evidence that was not read, and why",
    survives="everything else; nothing outside the run folder is read",
)
@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(CURVE, id="curve"),
        pytest.param("evidence/stage-1/output.txt", id="output", marks=pytest.mark.slow),
    ],
)
def test_a_report_says_what_was_not_read(
    limited: Callable[..., Said], run: Path, how: str, name: str
) -> None:
    spoil, why = HOSTILE[how]
    (run / name).touch()
    size = (run / name).stat().st_size
    change(run, lambda record: record["steps"][2].update(artifacts={name: {"bytes": size}}))
    spoil(run / name)
    done = limited("report", run, "--format", "json")
    assert done.code == 0, done.err
    (table,) = [item for item in done.json["sections"] if item["title"].startswith("Evidence")]
    assert [(path, why in said) for path, said in table["data"]["rows"]][:1] == [(name, True)], table
    assert limited("compare", run, run.name, "--workspace", run.parents[1]).code == 2  # it is one run


@pytest.mark.parametrize(
    "form", ["junit", *(pytest.param(name, marks=pytest.mark.slow) for name in ("html", "markdown", "ctrf"))]
)
def test_every_format_says_why_an_output_is_missing(
    limited: Callable[..., Said], run: Path, form: str
) -> None:
    to_a_pipe(run / "evidence" / "grow" / "output.txt")
    done = limited("report", run, "--format", form)
    assert done.code == 0
    assert PLAIN in done.out


@pytest.mark.slow
def test_compare_reads_files_only_up_to_a_limit(made: World, run: Path) -> None:
    for name in (CURVE, "evidence/text-1/samples.json", "evidence/compare/comparison.json"):
        to_a_pipe(run / name)
    done = lesson("compare", run, made.run.with_name("00-mutated"))
    assert done.returncode == 0
    assert PLAIN in done.stdout


def twice(record: dict[str, Any]) -> None:
    record["steps"].append(record["steps"][0])


def many(record: dict[str, Any]) -> None:
    record["facts"] = {"x": [{}] * 1_100_000}


def deep(record: dict[str, Any]) -> None:
    for _ in range(300):
        record["facts"] = {"x": record["facts"]}


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (twice, "it has two steps with the same id"),
        (many, "it has more than 1,000,000 values"),
        (deep, "it is nested too deeply"),
    ],
)
def test_a_record_that_would_take_too_long(
    limited: Callable[..., Said], run: Path, how: Callable[[dict[str, Any]], object], why: str
) -> None:
    change(run, how)
    done = limited("report", run)
    assert done.code == 2
    assert why in done.err


@pytest.mark.parametrize("command", ["resume", "runs rm --yes", "report"])
@pytest.mark.parametrize("spoil", [to_a_pipe, to_zeros, to_a_terabyte])
def test_a_lock_that_is_not_a_plain_file(
    limited: Callable[..., Said], run: Path, command: str, spoil: Callable[[Path], None]
) -> None:
    lock = run / "lock"
    lock.touch()
    spoil(lock)
    done = limited(*command.split(), run.name, "--workspace", run.parents[1])
    # Nothing in a workspace may be a link, and nothing else than a file may be locked.
    refused = command == "resume" and spoil is not to_a_terabyte
    assert done.code == (2 if refused else 0), done.err
    assert run.exists() == (command != "runs rm --yes" or refused)


@pytest.mark.slow
def test_nothing_runs_where_the_lock_is_a_pipe(tmp_path: Path, made: World) -> None:
    os.mkfifo(tmp_path / "lock")
    place = tmp_path / "mine"
    place.mkdir()
    words = ("--allow", "shell", "--workspace", tmp_path, "--in", place)
    done = lesson("run", made.folder / "growing.md", *words)
    assert done.returncode == 2
    assert f"{tmp_path / 'lock'}: cannot be written: {PLAIN}" in done.stderr


@pytest.mark.parametrize("spoil", [to_zeros, to_a_pipe, to_a_terabyte])
def test_events_that_cannot_be_read(
    limited: Callable[..., Said], run: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(run / "events.jsonl")
    done = limited("resume", run.name, "--workspace", run.parents[1], "--allow", "shell")
    assert done.code == 2
    assert "events.jsonl: cannot be read: it " in done.err


@pytest.mark.parametrize("name", ["evidence", "memory", "evidence/_shared", "shell", "evidence/grow"])
def test_a_run_that_is_resumed_writes_and_removes_nothing_elsewhere(
    limited: Callable[..., Said], run: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "grow").mkdir(parents=True)
    (outside / "grow" / "mine.txt").write_text("mine")
    events = run / "events.jsonl"
    rows = [row for row in events.read_text().splitlines() if '"step-finished"' not in row]
    events.write_text("\n".join(rows) + "\n")  # so that all steps are run again
    path = run / name
    if path.exists():
        shutil.rmtree(path)
    path.symlink_to(outside)
    done = limited("resume", run.name, "--workspace", run.parents[1], "--allow", "shell")
    assert done.code in (0, 1, 2), done.err
    assert [item for item in outside.rglob("*") if item.is_file()] == [outside / "grow" / "mine.txt"]


@pytest.mark.slow
def test_removing_a_run_follows_no_link_and_survives_deep_folders(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    (run / "evidence" / "link").symlink_to(outside)
    place = os.open(run, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    removed = run.with_name(f".{run.name}.removed")
    try:
        assert lesson("report", run, "--format", "markdown").returncode == 0
        done = lesson("runs", "rm", run.name, "--yes", "--workspace", run.parents[1])
        assert not run.exists()
    finally:  # pytest could not remove it
        subprocess.run(["rm", "-rf", str(run), str(removed)], check=True)
    assert done.returncode == 0 or f"{removed}\n" in done.stderr
    assert (outside / "mine.txt").read_text() == "mine"
