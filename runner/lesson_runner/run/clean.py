"""
Remove secrets from evidence, no matter which program wrote it.

After each step, every new or changed file in its evidence and in the shared evidence is checked. A text file
with a secret is rewritten without it, and a file name with a secret is replaced. A binary file with a secret
is removed; so is a file that is too large to check or cannot be read. The step's message says so.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.files.plain import open_plain, write_atomically

LARGEST = 256 * 1024 * 1024
"""The largest file that is checked, in bytes; a training of a million steps leaves 40 MB of losses."""
LARGEST_REWRITTEN = 16 * 1024 * 1024
"""The largest text file that is rewritten, in bytes; a larger one with a secret is removed."""
BLOCK = 1 << 20
OVERLAP = 1 << 14
"""Bytes of a block that are checked again with the next one: a value may lie in both."""
MOST_UNPACKED = 64 * 1024 * 1024
MOST_MEMBERS = 1_000
STATE = "runner.clean"
"""The key in ``RunContext.store`` of the files that were checked, by path."""
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"))
_BOMS = (*_MARKS, (codecs.BOM_UTF16_BE, "utf-16"))
_STREAMS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}

Stamp = tuple[int, int, int, int]


def clean_evidence(folder: Path, redactor: Redactor, seen: dict[str, Stamp]) -> list[str]:
    """
    Remove the secrets from the files below a folder; return a note, itself without secrets, for each change.

    Args:
        folder: the evidence; links in it are not followed.
        redactor: finds the secrets.
        seen: the files that were checked before, with size and times; updated.
    """
    done: list[str] = []
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in sorted(names):
            path = Path(parent, name)
            try:
                facts = path.lstat()
                stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns)
                if seen.get(str(path)) == stamp:
                    continue
                what = _clean(path, facts, redactor)
            except FileNotFoundError:  # removed by a process in the background
                continue
            except OSError as error:
                what = _remove(path, f"it cannot be read: {error.strerror or error}")
            shown = _rename(path, redactor)
            if what:
                done.append(f"{redactor.text(path.relative_to(folder).as_posix())}: {what}")
            elif shown != path:
                done.append(
                    f"{shown.relative_to(folder).as_posix()}: renamed, because its name held a secret"
                )
            with suppress(OSError):
                facts = shown.lstat()
                seen[str(shown)] = (facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns)
        for name in folders:
            with suppress(OSError):
                _rename(Path(parent, name), redactor)
    return done


def _clean(path: Path, facts: os.stat_result, redactor: Redactor) -> str:
    """Remove the secrets from a file; return what was done, empty if nothing."""
    if stat.S_ISLNK(facts.st_mode):
        if redactor.spans(os.readlink(path)):  # noqa: PTH115 - the text of the link, not where it leads
            return _remove(path, "it is a link, and the path in it held a secret")
        return ""
    if not stat.S_ISREG(facts.st_mode):
        return ""
    if facts.st_size > LARGEST:
        return _remove(path, f"it is too large to check for secrets ({facts.st_size:,} bytes)")
    with open_plain(path) as file:
        head = file.read(8192)
        encoding = next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")
        is_text = encoding != "utf-8" or b"\0" not in head
        file.seek(0)
        if is_text and facts.st_size <= LARGEST_REWRITTEN:
            return _clean_text(path, file.read(LARGEST_REWRITTEN), encoding, facts, redactor)
        held = any(_holds_secret(block, redactor, is_text=is_text) for block in _blocks(file))
        if not held:
            file.seek(0)
            held = any(_holds_secret(block, redactor, is_text=False) for block in _unpacked(file, head))
    return _remove(path, "it held a secret") if held else ""


def _clean_text(path: Path, data: bytes, encoding: str, facts: os.stat_result, redactor: Redactor) -> str:
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    try:
        text = data.decode(encoding, errors)
    except UnicodeDecodeError:
        return _remove(path, "it held a secret") if _holds_secret(data, redactor, is_text=False) else ""
    kept = redactor.text(text)
    if kept == text:
        return ""
    write_atomically(path, kept.encode(encoding, errors), stat.S_IMODE(facts.st_mode))
    return "a secret was redacted"


def _holds_secret(data: bytes, redactor: Redactor, *, is_text: bool) -> bool:
    """Return whether bytes hold a secret; in binary data, only declared values are looked for, unencoded."""
    if is_text:
        return bool(redactor.spans(data.decode("utf-8", "replace")))
    plain = data.replace(b"\0", b"")  # UTF-16 has zeros between ASCII
    return any(value in data or value in plain for value in redactor.raw)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file in blocks; each starts with the end of the previous one."""
    kept = b""
    while block := file.read(BLOCK):
        yield kept + block
        kept = block[-OVERLAP:]


def _unpacked(file: IO[bytes], head: bytes) -> Iterator[bytes]:
    """Yield the unpacked content of a file, up to :data:`MOST_UNPACKED`; nothing if it cannot be unpacked."""
    with suppress(
        OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError
    ):
        opened = next((kind(file) for mark, kind in _STREAMS.items() if head.startswith(mark)), None)
        if opened is not None:
            data = opened.read(MOST_UNPACKED)
            yield data
            yield from _members(io.BytesIO(data))
        else:
            yield from _members(file)


def _members(file: IO[bytes]) -> Iterator[bytes]:
    left = MOST_UNPACKED
    with suppress(zipfile.BadZipFile, tarfile.TarError):
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                for entry in packed.infolist()[:MOST_MEMBERS]:
                    with packed.open(entry) as member:
                        data = member.read(left)
                    left -= len(data)
                    yield data
                    if left <= 0:
                        return
            return
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            for _, item in zip(range(MOST_MEMBERS), archive, strict=False):
                yield item.name.encode("utf-8", "surrogateescape")
                if item.isreg() and left > 0 and (opened := archive.extractfile(item)) is not None:
                    data = opened.read(left)
                    left -= len(data)
                    yield data


def _remove(path: Path, why: str) -> str:
    """Remove a file; return a note that says so."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return f"{why}, and it cannot be removed: {error.strerror}"
    return f"removed, because {why}"


def _rename(path: Path, redactor: Redactor) -> Path:
    """Rename a file if its name holds a secret; return its path."""
    name = redactor.text(path.name)
    if name == path.name:
        return path
    stem, dot, end = name.partition(".")
    number, other = 1, path.with_name(name)
    while os.path.lexists(other):
        number += 1
        other = path.with_name(f"{stem}-{number}{dot}{end}")
    path.rename(other)
    return other
