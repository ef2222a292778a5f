"""
Read, list and remove files in a folder that may come from a stranger.

Links below the folder are not followed, only plain files are opened, and files larger than a limit are not
read. A sparse file counts with its apparent size.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from lesson_runner.files.canonical import check_count, check_depth
from lesson_runner.files.plain import MAX_JSON_BYTES, TEMPORARY_SUFFIX, open_plain

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC


def open_below(folder: Path, name: str) -> BinaryIO:
    """
    Open a plain file below a folder for reading.

    Args:
        folder: may itself be a link, because the user named it.
        name: the file's path from there, with slashes.

    Raises:
        OSError: there is no such file, it is not a plain file, or its path has a link in it.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise OSError(errno.EINVAL, "its path leaves the folder", name)
    handle = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = _open_folder(part, handle, name)
            os.close(handle)
            handle = inner
        return open_plain(Path(parts[-1]), handle)
    except OSError as error:
        error.filename = str(folder / name)
        raise
    finally:
        os.close(handle)


def _open_folder(part: str, parent: int, name: str) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise OSError(errno.EINVAL, f"{part!r} in its path is not a folder", name) from None
        raise


def open_sized(folder: Path, name: str, most: int, size: int | None = None) -> BinaryIO:
    """
    Open a plain file below a folder after checking its size.

    Args:
        most: the largest allowed size, in bytes.
        size: the exact size that it must have, in bytes; ``None`` if that is not known.

    Raises:
        OSError: as :func:`open_below`, or it has more than ``most`` bytes, or not exactly ``size``.
    """
    file = open_below(folder, name)
    try:
        has = os.fstat(file.fileno()).st_size
        if size is not None and has != size:
            raise OSError(
                errno.EINVAL, f"it has {has:,} bytes, but the record says {size:,}", str(folder / name)
            )
        if has > most:
            raise OSError(errno.E2BIG, f"it has {has:,} bytes; at most {most:,} are read", str(folder / name))
    except OSError:
        file.close()
        raise
    return file


def read_below(folder: Path, name: str, most: int) -> bytes:
    """
    Return the content of a file below a folder.

    Raises:
        OSError: as :func:`open_below`, or it has more than ``most`` bytes.
    """
    with open_sized(folder, name, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)  # Python allocates as many bytes as read() is given


def read_json(folder: Path, name: str, most: int = MAX_JSON_BYTES) -> Any:
    """
    Return the JSON of a file below a folder, parsed by :func:`parse_json`.

    Raises:
        OSError: as :func:`read_below`.
        ValueError: as :func:`parse_json`.
    """
    return parse_json(read_below(folder, name, most))


def parse_json(data: bytes) -> Any:
    """
    Parse JSON; numbers that are not finite, or too large for a float, become ``None``.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has too many values.
    """
    check_count(data)
    try:
        value = json.loads(data, parse_constant=_none, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    check_depth(value)
    return value


def _none(text: str) -> None:
    """Return ``None`` for ``NaN`` and ``Infinity``, which JSON does not have."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | float | None:
    return int(text) if len(text) < 300 else _finite(text)


def files_below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """
    Yield everything below a folder that is not itself a folder: its path from there, and its ``lstat``.

    Entries that cannot be read, or vanish in the meantime, are left out.
    """
    folders = [""]
    while folders:
        inside = folders.pop()
        try:
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    name = f"{inside}/{entry.name}" if inside else entry.name
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(name)
                        else:
                            yield name, entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
        except OSError:
            continue


def make_below(folder: Path, *parts: str) -> Path:
    """
    Create nested folders below a folder and return the innermost; they may exist already.

    Raises:
        OSError: one cannot be created, or is a link or a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        folder /= part
        try:
            folder.mkdir()
        except FileExistsError:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise OSError(errno.ENOTDIR, "it is not a folder; remove it", str(folder)) from None
    return folder


def remove_temporary_files(folder: Path, unless: Callable[[str], bool] = lambda _: False) -> None:
    """
    Remove temporary files of :func:`write_atomically` that a killed process left behind.

    Args:
        unless: says of a file's path whether it stays.
    """
    for name, _ in files_below(folder):
        if PurePosixPath(name).name.startswith(".") and name.endswith(TEMPORARY_SUFFIX) and not unless(name):
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def remove_tree(folder: Path) -> None:
    """
    Remove a folder with its content; if it is a link, only the link.

    Raises:
        OSError: something in it cannot be removed.
    """
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            folder.unlink()
            return
        try:
            shutil.rmtree(folder)
        except PermissionError:  # caches of Go and others make their folders read-only
            for inner, _, _ in os.walk(folder):
                Path(inner).chmod(0o700)
            shutil.rmtree(folder)
    except RecursionError:
        raise OSError(errno.ENAMETOOLONG, "its folders are nested too deeply", str(folder)) from None
