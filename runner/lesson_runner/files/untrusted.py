"""
Read, list and remove what lies below a folder that may be a stranger's.

No link is followed below the folder, nothing but plain files is opened, and nothing larger than a limit is
read. A sparse file counts as large as it claims to be.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from lesson_runner.files.canonical import check_count, check_depth
from lesson_runner.files.plain import TEMPORARY_SUFFIX, MAX_JSON_BYTES, open_plain

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC


def open_below(folder: Path, name: str) -> BinaryIO:
    """
    Open a plain file below a folder to read it.

    Args:
        folder: the user named it, so it may itself be a link.
        name: the file's path from there, with slashes.

    Raises:
        OSError: there is no such file, it is not a plain file, or a link leads to it.
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
    Open a plain file below a folder, if it is as large as it should be.

    Args:
        size: how many bytes it must have, if that is known.

    Raises:
        OSError: as :func:`open_below`, or it has more than ``most`` bytes, or not ``size`` of them.
    """
    file = open_below(folder, name)
    try:
        has = os.fstat(file.fileno()).st_size
        if size is not None and has != size:
            raise OSError(
                errno.EINVAL, f"it has {has:,} bytes, and not the {size:,} recorded", str(folder / name)
            )
        if has > most:
            raise OSError(errno.E2BIG, f"it has {has:,} bytes; at most {most:,} are read", str(folder / name))
    except OSError:
        file.close()
        raise
    return file


def read_below(folder: Path, name: str, most: int) -> bytes:
    """
    Return what is in a file below a folder.

    Raises:
        OSError: as :func:`open_below`, or it has more than ``most`` bytes.
    """
    with open_sized(folder, name, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)  # more would be room that Python makes for nothing


def read_json(folder: Path, name: str, most: int = MAX_JSON_BYTES) -> Any:
    """
    Return the JSON in a file below a folder, as :func:`parse_json` has it.

    Raises:
        OSError: as :func:`read_below`.
        ValueError: as :func:`parse_json`.
    """
    return parse_json(read_below(folder, name, most))


def parse_json(data: bytes) -> Any:
    """
    Return what JSON says; numbers that are not finite, or that no float can hold, become ``None``.

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
    """Return nothing for ``NaN`` and ``Infinity``, which JSON has not."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | float | None:
    return int(text) if len(text) < 300 else _finite(text)


def files_below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """
    Yield everything below a folder that is not a folder: its path from there, and what ``lstat`` says of it.

    What cannot be looked at is left out, and so is what vanishes meanwhile.
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
    Make folders below a folder, one in another, and return the last; they may be there already.

    Raises:
        OSError: one cannot be made, or is a link or a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        folder /= part
        try:
            folder.mkdir()
        except FileExistsError:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise OSError(errno.ENOTDIR, "it is not a folder: remove it", str(folder)) from None
    return folder


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files of :func:`write_atomically` that a killed process has left."""
    for name, _ in files_below(folder):
        if PurePosixPath(name).name.startswith(".") and name.endswith(TEMPORARY_SUFFIX):
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def remove_tree(folder: Path) -> None:
    """
    Remove a folder with all that is in it; of a link, only the link.

    Raises:
        OSError: something in it cannot be removed.
    """
    try:
        if stat.S_ISDIR(folder.lstat().st_mode):
            shutil.rmtree(folder)
        else:
            folder.unlink()
    except RecursionError:
        raise OSError(errno.ENAMETOOLONG, "its folders are nested too deeply", str(folder)) from None
