"""
A run's folder as one piece of bytes, and back: what a worker sends to whoever asked.

Only the record, the events and the evidence travel; checkpoints and data sets stay. What arrives is taken for
hostile: nothing but plain files and folders of those names, none outside the target, none of excessive size.
"""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from lesson_runner.files.evidence import EVIDENCE
from lesson_runner.files.untrusted import files_below
from lesson_runner.model.errors import LessonError
from lesson_runner.run.events import EVENTS
from lesson_runner.run.record import RECORD

MOST_BYTES = 256 * 2**20
"""Bytes of a run's files, unpacked."""
MOST_FILES = 20_000
_OVERHEAD = 2048
"""Bytes that one member may need besides its content: headers, and names that are long."""
_DATA_FILTER = getattr(tarfile, "data_filter", None)
"""The standard library's check of members that come from elsewhere, as a second look."""


class ArchiveError(LessonError):
    """A run cannot travel, or what arrived is no run."""


def pack(run: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """
    Return what a run has left as a compressed tar: its record, its events, its evidence.

    Args:
        run: the run's folder.
        most_bytes: how much its files may hold together.

    Raises:
        ArchiveError: there is too much of it, or it cannot be read.
    """
    buffer, size = io.BytesIO(), 0
    try:
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as tar:
            for number, path in enumerate(_files(run), 1):
                size += path.stat().st_size
                if size > most_bytes or number > MOST_FILES:
                    most = f"more than {most_bytes:,} bytes or {MOST_FILES:,} files"
                    raise ArchiveError(f"{run.name}: its evidence is too large to be sent: {most}")
                tar.add(path, path.relative_to(run).as_posix(), recursive=False, filter=_anonymous)
    except OSError as error:
        raise ArchiveError(f"{run.name}: cannot be packed: {error}") from None
    return buffer.getvalue()


def _files(run: Path) -> Iterator[Path]:
    """Yield the files that travel; links stay, because where they lead does not."""
    yield from (path for name in (RECORD, EVENTS) if (path := run / name).is_file())
    found = files_below(run / EVIDENCE)
    yield from sorted(run / EVIDENCE / name for name, facts in found if stat.S_ISREG(facts.st_mode))


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def unpack(data: bytes, target: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """
    Write what :func:`pack` returned into a folder, whole or not at all.

    Args:
        data: what arrived.
        target: the run's folder, which must not exist.
        most_bytes: how much the files may hold together.

    Raises:
        ArchiveError: it is damaged, too large, or holds something that no run has.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ArchiveError(f"{target}: cannot be written: {error.strerror or error}") from None
    try:
        _extract(data, aside, most_bytes)
        if not (aside / RECORD).is_file():
            raise ArchiveError(f"what arrived has no {RECORD}")
        aside.chmod(0o755)
        aside.rename(target)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise ArchiveError(f"what arrived is damaged: {error}") from None
    except OSError as error:
        raise ArchiveError(f"{target}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _extract(data: bytes, folder: Path, most_bytes: int) -> None:
    limited = _Limited(gzip.GzipFile(fileobj=io.BytesIO(data)), most_bytes + MOST_FILES * _OVERHEAD)
    size = 0
    with tarfile.open(fileobj=limited, mode="r|") as tar:  # type: ignore[call-overload]  # the stubs ask for write() too
        for number, member in enumerate(tar, 1):
            size += member.size
            if size > most_bytes or number > MOST_FILES:
                raise ArchiveError(f"what arrived is too large: more than {most_bytes:,} bytes")
            _check(member)
            if _DATA_FILTER:  # not in the first releases of Python 3.10
                _DATA_FILTER(member, str(folder))
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            with source, path.open("xb") as file:
                shutil.copyfileobj(source, file)


def _check(member: tarfile.TarInfo) -> None:
    """
    Refuse what :func:`pack` never writes.

    Raises:
        ArchiveError: it is no plain file, or has a name that no file of a run has.
    """
    parts = PurePosixPath(member.name).parts
    known = member.name in (RECORD, EVENTS) or (len(parts) > 1 and parts[0] == EVIDENCE)
    if not member.isreg() or member.issparse() or not known or ".." in parts or "\0" in member.name:
        raise ArchiveError(f"what arrived holds {member.name[:200]!r}, which is no part of a run")


class _Limited:
    """A stream that raises instead of giving more than it may: a small file can unpack to a huge one."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError("what arrived is too large when it is unpacked")
        return data
