"""Reserve disk space for a run's record, so that a full disk does not lose the results."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import fix_for

BASE_BYTES = 128 * 1024
BYTES_PER_STEP = 8 * 1024
"""Bytes to reserve: a record has 1 to 4 kB per step."""


def reserve_disk_space(folder: Path, steps: int) -> ExitStack:
    """
    Reserve disk space for the record of a run, until the returned stack is closed.

    The space is held by an unnamed temporary file, which disappears with the process however it ends.

    Args:
        folder: the run folder.
        steps: how many steps the record will have.

    Raises:
        LessonError: there is not enough space even for the record; do not start the run.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
            _fill(file.fileno(), BASE_BYTES + BYTES_PER_STEP * steps)
        except OSError as error:
            reason = error.strerror or error
            message = f"{folder}: cannot reserve disk space for the record of the run: {reason}"
            raise LessonError(message, fix=fix_for(error)) from None
        return stack.pop_all()


def _fill(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
        else:
            return
    while size > 0:  # macOS, and file systems that cannot reserve space
        size -= os.write(file, bytes(size))
