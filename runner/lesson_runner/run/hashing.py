"""Hash files within limits of time and size, and check whether a file has changed since."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lesson_runner.files.untrusted import open_below


def file_digest(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


HASHED = 4 * 1024**3
"""Bytes of files that are hashed after a step; a sparse file counts with its apparent size."""
LEAST_SECONDS = 2.0
"""Time for hashing after a step that reached its time limit."""
UNTIMED_SECONDS = 120.0
"""Time for hashing after a step without a time limit."""


class NotHashedError(Exception):
    """A file was not hashed; the message is the reason."""


class Hasher:
    """
    Hashes the files of a step, within its time limit and :data:`HASHED` bytes.

    Args:
        deadline: when the step's time is up, on the clock of :func:`time.monotonic`; ``None`` if the step has
            no time limit.
    """

    def __init__(self, deadline: float | None) -> None:
        now = time.monotonic()
        self._until = now + UNTIMED_SECONDS if deadline is None else max(deadline, now + LEAST_SECONDS)
        self._left = HASHED

    def digest(self, file: BinaryIO) -> str:
        """
        Return the sha256 of an open file.

        Raises:
            NotHashedError: the file is too large, time is up, or the file is being written to.
            OSError: it cannot be read.
        """
        before = os.fstat(file.fileno())
        if before.st_size > self._left:
            raise NotHashedError(f"at most {HASHED:,} bytes of files are hashed after a step")
        self._left -= before.st_size
        digest = hashlib.sha256()
        done = 0
        while done < before.st_size and (chunk := file.read(min(1 << 20, before.st_size - done))):
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() > self._until:
                raise NotHashedError("there was no time left to hash it")
        if stamp(os.fstat(file.fileno())) != stamp(before):
            raise NotHashedError("it changed while it was being hashed")
        return digest.hexdigest()


def stamp(facts: os.stat_result) -> tuple[int, int, int]:
    """Return size, time and inode, which show without reading whether a file changed."""
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def file_facts(folder: Path, name: str, hasher: Hasher) -> Mapping[str, Any] | None:
    """
    Return facts about a file below a folder, as a record has them.

    Returns:
        ``bytes`` and ``sha256``; for a file that was not hashed, ``bytes``, ``not_hashed`` (the reason) and
        ``stamp``; ``None`` if the file does not exist or cannot be read.
    """
    try:
        with open_below(folder, name) as file:
            facts = os.fstat(file.fileno())
            try:
                return {"sha256": hasher.digest(file), "bytes": facts.st_size}
            except NotHashedError as error:
                facts = os.fstat(file.fileno())
                return {"bytes": facts.st_size, "not_hashed": str(error), "stamp": list(stamp(facts))}
    except (OSError, ValueError):
        return None


def is_unchanged(folder: Path, name: str, known: Mapping[str, Any] | None) -> bool:
    """Return whether a file below a folder still matches the result of :func:`file_facts`."""
    try:
        with open_below(folder, name) as file:
            facts = os.fstat(file.fileno())
            if known is None:
                return False
            if "sha256" not in known:
                return bool(list(stamp(facts)) == known["stamp"])
            return bool(facts.st_size == known["bytes"] and Hasher(None).digest(file) == known["sha256"])
    except NotHashedError:
        return False
    except (OSError, ValueError):
        return known is None
