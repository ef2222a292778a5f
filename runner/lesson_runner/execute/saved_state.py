"""The saved states of a terminal, as scripts that bash sources: the last one, and one before each step."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lesson_runner.files.plain import read_plain, write_atomically
from lesson_runner.files.untrusted import make_below
from lesson_runner.model.errors import LessonError

LAST = "state.sh"
COMPLETE = b"\n# complete\n"
MOST_STATE = 16 * 1024 * 1024
"""The largest state that is passed on, in bytes; a new bash reads all of it."""


class SavedStates:
    """
    The states of the terminal of a run, in a folder that only the user can read: blocks may export secrets.

    Args:
        folder: where they are stored.
        steps: the ids of the lesson's steps, in order, in a run that continues another.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path, steps: Sequence[str] = ()) -> None:
        self.last = folder / LAST
        """The state after the last block; missing before the first."""
        self._before = make_below(folder, "before")
        self._steps = list(steps)
        self._kept = b""

    def before(self, step: str) -> Path:
        """Return the file with the state before a step."""
        return self._before / f"{step}.sh"

    def keep(self, step: str) -> None:
        """Keep the last state as the one before a step."""
        path = self.before(step)
        path.unlink(missing_ok=True)
        if not os.path.lexists(self.last):
            path.touch(mode=0o600)
            path.write_bytes(COMPLETE)
        else:
            try:
                os.link(self.last, path)
            except OSError:  # a file system without hard links
                shutil.copyfile(self.last, path)
                path.chmod(0o600)
        self._kept = read_plain(path, MOST_STATE)

    def begin(self, step: str, *, first: bool) -> None:
        """
        Keep the state in which a step begins: the last one, or, for the first step, that of its earlier run.

        In a run that continues another, a step that is new in the lesson begins as the one after it did. The
        states before later steps are removed: they lack what this step does now.
        """
        later = self._later(step)
        found = [path for path in map(self.before, (step, *later)) if os.path.lexists(path)]
        if first and found:
            found[0].replace(self.last)
        self.keep(step)
        for name in later:
            self.before(name).unlink(missing_ok=True)

    def _later(self, step: str) -> list[str]:
        """Return the steps after a step, in order."""
        return self._steps[self._steps.index(step) + 1 :] if step in self._steps else []

    def restore(self, step: str) -> None:
        """Write the state before the current step again, if a block has removed it."""
        path = self.before(step)
        if not path.exists():
            make_below(self._before.parent.parent, self._before.parent.name, self._before.name)
            path.touch(mode=0o600)
            path.write_bytes(self._kept)

    def store(self, state: bytes) -> None:
        """
        Store what bash has printed as the last state.

        Raises:
            OSError: it is too large or not complete, or the file cannot be written.
        """
        if len(state) > MOST_STATE:
            raise OSError(errno.E2BIG, f"it has {len(state):,} bytes; at most {MOST_STATE:,} are passed on")
        if not state.endswith(COMPLETE):
            raise OSError(errno.EIO, "bash printed only a part of it")
        write_atomically(self.last, state, 0o600)


def check_complete(state: Path) -> None:
    """
    Check a saved state before bash loads it.

    Raises:
        LessonError: it is damaged.
    """
    with contextlib.suppress(OSError):
        if read_plain(state, MOST_STATE).endswith(COMPLETE):
            return
    raise LessonError(f"{state}: the state of the terminal is damaged", fix="start the run from scratch")
