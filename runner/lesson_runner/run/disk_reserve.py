"""Room on the disk that is kept for a run's record: a disk that fills up must not cost what was done."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import cure

BASE_BYTES = 128 * 1024
BYTES_PER_STEP = 8 * 1024
"""Bytes that are kept: a record has 1 to 4 kB a step."""


def reserve_disk_space(folder: Path, steps: int) -> ExitStack:
    """
    Keep room for the record of a run, until the result is closed.

    The room is a file without a name, which is gone with the process however that ends.

    Args:
        folder: the run's.
        steps: how many the record will have.

    Raises:
        LessonError: there is no room even for that. Nothing should be begun then.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
            _fill(file.fileno(), BASE_BYTES + BYTES_PER_STEP * steps)
        except OSError as error:
            reason = error.strerror or error
            message = f"{folder}: there is no room for the record of a run: {reason}"
            raise LessonError(message, fix=cure(error)) from None
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
    while size > 0:  # macOS, and file systems that keep no room
        size -= os.write(file, bytes(size))
