"""Read and write plain files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

MAX_JSON_BYTES = 32 * 1024 * 1024
"""Upper limit for JSON files of a run; a record of 200 steps has 0.3 MB."""


def real(path: Path) -> Path:
    """Return the absolute path with all symbolic links resolved, as far as they do not form a loop."""
    return Path(os.path.realpath(path))  # Path.resolve() raises for a loop


TEMPORARY_SUFFIX = ".lesson-part"
"""The ending of the names of files that are still being written."""


def open_plain(path: Path, folder: int | None = None) -> BinaryIO:
    """
    Open a plain file for reading.

    Args:
        folder: the descriptor of an open folder that ``path`` is relative to.

    Raises:
        OSError: it cannot be read, or is a link, a pipe or a device.
    """
    return os.fdopen(plain_handle(path, os.O_RDONLY, folder), "rb")


def plain_handle(path: Path, flags: int, folder: int | None = None, mode: int = 0o666) -> int:
    """
    Return the descriptor of an opened plain file; ``flags`` and ``mode`` are those of :func:`os.open`.

    Raises:
        OSError: it cannot be opened, or is a link, a pipe or a device.
    """
    # Check before opening, because opening a device can already have an effect. O_NONBLOCK: if a pipe
    # replaces the file after the check, opening it must not wait for a writer.
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
    Return the content of a file.

    Raises:
        OSError: as :func:`open_plain`, or it has more than ``most`` bytes.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.E2BIG, f"it has {size:,} bytes; at most {most:,} are read", str(path))
        return file.read(size)  # Python allocates as many bytes as read() is given


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
    Write a file through a temporary one, so that readers see the old or the new content, never a part.

    Args:
        mode: the file's permissions; by default everybody may read it, like a record.

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
        Path(name).chmod(mode)  # mkstemp creates files that only the owner can read
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_output(path: Path, text: str) -> None:
    """
    Write the output of a command to the file that the user named, which may be a device or a pipe.

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
    Create and return an empty folder; if the name is taken, a number is appended.

    Raises:
        FileExistsError: a hundred folders of that name exist.
        OSError: it cannot be created.
    """
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        folder = parent / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(errno.EEXIST, "a hundred folders of that name exist", str(parent / name))


def rewrite(path: Path, content: bytes) -> None:
    """
    Replace the content of a file; a link stays a link, and the file keeps its mode.

    Raises:
        OSError: it cannot be written, or is read-only (which a rename would ignore).
    """
    target = real(path)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    write_atomically(target, content, stat.S_IMODE(target.stat().st_mode))
