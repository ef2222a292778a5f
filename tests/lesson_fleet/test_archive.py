"""Archives of runs, and which received ones are refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lesson_fleet.archive import ArchiveError, pack, unpack


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    for name, text in {
        "record.json": "{}",
        "events.jsonl": "{}\n",
        "evidence/say/output.txt": "done",
        "evidence/_shared/data.txt": "words",
        "files/checkpoints/big.safetensors": "0" * 1000,
        "tracking/wandb.db": "0",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "evidence" / "say" / "passwd").symlink_to("/etc/passwd")
    return folder


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def archive(*members: tuple[tarfile.TarInfo | str, bytes], record: bool = True) -> bytes:
    """Return a compressed tar with a record and the given members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member, content in [*([("record.json", b"{}")] if record else []), *members]:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_record_events_and_evidence_are_packed(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "there" / "runs" / "one"
    unpack(pack(run), target)
    assert files(target) == {
        "record.json": "{}",
        "events.jsonl": "{}\n",
        "evidence/say/output.txt": "done",
        "evidence/_shared/data.txt": "words",
    }
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_a_run_that_is_too_large(run: Path) -> None:
    (run / "evidence" / "say" / "log.txt").write_text("x" * 5000)
    with pytest.raises(ArchiveError, match="too large to send: more than 4,000 bytes"):
        pack(run, most_bytes=4000)


@pytest.mark.parametrize(
    "data",
    [
        archive(("../escaped", b"x")),
        archive(("evidence/../../escaped", b"x")),
        archive(("/tmp/escaped", b"x")),
        archive(("evidence/say/../../../escaped", b"x")),
        archive(("files/data/input.txt", b"x")),
        archive(("other.json", b"x")),
        archive(("evidence", b"x")),
        archive((special("evidence/link", tarfile.SYMTYPE, "/etc"), b""), ("evidence/link/x", b"x")),
        archive((special("evidence/hard", tarfile.LNKTYPE, "/etc/passwd"), b"")),
        archive((special("evidence/pipe", tarfile.FIFOTYPE), b"")),
        archive((special("evidence/device", tarfile.CHRTYPE), b"")),
        archive((special("evidence/folder", tarfile.DIRTYPE), b"")),
        archive(("evidence/say/output.txt", b"x"), record=False),
        archive(("record.json", b"another one")),
        archive(("evidence/a", b"x"), ("evidence/a/b", b"x")),
        archive(("evidence/a", b"x"))[:-30],
        b"no tar at all",
        b"",
    ],
    ids=range(18),
)
def test_files_that_no_run_has_are_refused(data: bytes, tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    with pytest.raises(ArchiveError):
        unpack(data, place / "one")
    assert list(place.iterdir()) == []  # no temporary folder is left either
    assert not list(tmp_path.rglob("escaped"))


def bomb() -> bytes:
    return archive(("evidence/zeros", bytes(3_000_000)))


def long_header() -> bytes:
    """An archive with a large header, which readers load into memory."""
    info = tarfile.TarInfo("evidence/x")
    info.pax_headers = {"comment": "0" * 60_000_000}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO())
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("make", [bomb, long_header])
def test_a_small_archive_of_a_large_file(make: Callable[[], bytes], tmp_path: Path) -> None:
    data = make()
    assert len(data) < 100_000
    with pytest.raises(ArchiveError, match="too large"):
        unpack(data, tmp_path / "runs" / "one", most_bytes=1_000_000)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_workspace_that_cannot_be_written(tmp_path: Path, run: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(ArchiveError, match="cannot be written"):
        unpack(pack(run), tmp_path / "runs" / "one")
