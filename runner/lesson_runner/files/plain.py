"""Reading and writing plain files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

MAX_JSON_BYTES = 32 * 1024 * 1024
"""No JSON that a run leaves is as large: a record of 200 steps has 0.3 MB."""


def real(path: Path) -> Path:
    """Return the absolute path that symbolic links lead to; a circle of them ends where it begins."""
    return Path(os.path.realpath(path))  # Path.resolve() raises for a circle


TEMPORARY_SUFFIX = ".lesson-part"
"""How the names of files end that are not whole yet."""


def open_plain(path: Path, folder: int | None = None) -> BinaryIO:
    """
    Open a file to read it, and nothing that only looks like one.

    Args:
        folder: an open folder that ``path`` begins in.

    Raises:
        OSError: it cannot be read, or is a link, a pipe or a device.
    """
    return os.fdopen(plain_handle(path, os.O_RDONLY, folder), "rb")


def plain_handle(path: Path, flags: int, folder: int | None = None, mode: int = 0o666) -> int:
    """
    Return an open plain file; ``flags`` and ``mode`` are those of :func:`os.open`.

    Raises:
        OSError: it cannot be opened, or is a link, a pipe or a device.
    """
    # Looked at before it is opened, because opening a device can already do something. Without O_NONBLOCK,
    # opening a pipe that has taken the file's place in between would wait for somebody at its other end.
    with contextlib.suppress(FileNotFoundError):
        _check_plain(os.stat(path, dir_fd=folder, follow_symlinks=False), path)
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        _check_plain(os.fstat(handle), path)
    except OSError:
        os.close(handle)
        raise
    return handle


def _check_plain(facts: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))


def read_plain(path: Path, most: int) -> bytes:
    """
    Return what is in a file.

    Raises:
        OSError: as :func:`open_plain`, or it has more than ``most`` bytes.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.E2BIG, f"it has {size:,} bytes; at most {most:,} are read", str(path))
        return file.read(size)  # Python makes room for as many bytes as it is asked for


def read_text(path: Path, most: int) -> str:
    """
    Return the text of a file, which may be a link to one.

    Raises:
        OSError: as :func:`read_plain`.
        ValueError: it is not UTF-8.
    """
    return read_plain(real(path), most).decode("utf-8")


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """
    Write a file so that it is either the old one or the new one, never half of it.

    Args:
        mode: who may read and write it; by default everybody may read, as with a record.

    Raises:
        OSError: the folder cannot be written; the error's ``filename`` is the file's.
    """
    try:
        _write_atomically(path, content, mode)
    except OSError as error:
        error.filename = str(path)
        raise


def _write_atomically(path: Path, content: str | bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)  # mkstemp makes files that only the owner can read
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_output(path: Path, text: str) -> None:
    """
    Write what a command makes to the file that the user named: aside, or into a device or a pipe.

    Raises:
        OSError: it cannot be written.
    """
    try:
        special = not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        special = False
    if not special:
        write_atomically(path, text)
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)


def new_folder(parent: Path, name: str) -> Path:
    """
    Create and return an empty folder, which gets a number behind its name if that is taken.

    Raises:
        FileExistsError: a hundred of that name are taken.
        OSError: it cannot be created.
    """
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        folder = parent / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(errno.EEXIST, "a hundred folders of that name are there", str(parent / name))


def rewrite(path: Path, content: bytes) -> None:
    """
    Replace what stands in a file; a link stays a link, and the file keeps its mode.

    Raises:
        OSError: it cannot be written. Renaming would replace a read-only file too: that is refused here.
    """
    target = real(path)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    write_atomically(target, content, stat.S_IMODE(target.stat().st_mode))
