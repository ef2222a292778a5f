"""
Pack a run folder into an archive that a worker sends back, and unpack it.

An archive holds only the record, the events and the evidence, without checkpoints and data sets. A received
archive may be hostile: only plain files with those names are unpacked, none outside the target folder, none
of excessive size.
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
"""Limit for the unpacked size of a run's files, in bytes."""
MOST_FILES = 20_000
_OVERHEAD = 2048
"""Bytes that a member may need in addition to its content, for headers and long names."""
_DATA_FILTER = getattr(tarfile, "data_filter", None)
"""The standard library's check of untrusted members, used as a second check."""


class ArchiveError(LessonError):
    """A run cannot be packed, or a received archive is not a run."""


def pack(run: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """
    Return a run's record, events and evidence as a compressed tar archive.

    Args:
        run: the run folder.
        most_bytes: limit for the total size of its files.

    Raises:
        ArchiveError: the run is too large or cannot be read.
    """
    buffer, size = io.BytesIO(), 0
    try:
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as tar:
            for number, path in enumerate(_files(run), 1):
                size += path.stat().st_size
                if size > most_bytes or number > MOST_FILES:
                    most = f"more than {most_bytes:,} bytes or {MOST_FILES:,} files"
                    raise ArchiveError(f"{run.name}: its evidence is too large to send: {most}")
                tar.add(path, path.relative_to(run).as_posix(), recursive=False, filter=_anonymous)
    except OSError as error:
        raise ArchiveError(f"{run.name}: cannot be packed: {error}") from None
    return buffer.getvalue()


def _files(run: Path) -> Iterator[Path]:
    """Yield the files to pack, without links, whose targets are not packed."""
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
    Unpack an archive that :func:`pack` returned, completely or not at all.

    Args:
        data: the received archive.
        target: the run folder, which must not exist.
        most_bytes: limit for the total size of the files.

    Raises:
        ArchiveError: the archive is damaged or too large, or contains a file that no run has.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ArchiveError(f"{target}: cannot be written: {error.strerror or error}") from None
    try:
        _extract(data, temporary, most_bytes)
        if not (temporary / RECORD).is_file():
            raise ArchiveError(f"the archive has no {RECORD}")
        temporary.chmod(0o755)
        temporary.rename(target)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise ArchiveError(f"the archive is damaged: {error}") from None
    except OSError as error:
        raise ArchiveError(f"{target}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(data: bytes, folder: Path, most_bytes: int) -> None:
    limited = _Limited(gzip.GzipFile(fileobj=io.BytesIO(data)), most_bytes + MOST_FILES * _OVERHEAD)
    size = 0
    with tarfile.open(fileobj=limited, mode="r|") as tar:  # type: ignore[call-overload]  # reading needs no write(), which typeshed requires
        for number, member in enumerate(tar, 1):
            size += member.size
            if size > most_bytes or number > MOST_FILES:
                raise ArchiveError(f"the archive is too large: more than {most_bytes:,} bytes")
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
    Refuse members that :func:`pack` never writes.

    Raises:
        ArchiveError: the member is not a plain file, or no file of a run has its name.
    """
    parts = PurePosixPath(member.name).parts
    known = member.name in (RECORD, EVENTS) or (len(parts) > 1 and parts[0] == EVIDENCE)
    if not member.isreg() or member.issparse() or not known or ".." in parts or "\0" in member.name:
        raise ArchiveError(f"the archive contains {member.name[:200]!r}, which is not part of a run")


class _Limited:
    """A stream that raises instead of exceeding its limit: a small archive can unpack to a huge file."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError("the archive is too large when unpacked")
        return data
