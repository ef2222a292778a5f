"""The folder through which the runner and the bash of a terminal talk: named pipes and small files."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from lesson_runner.execute.child import Reader
from lesson_runner.execute.family import TICK
from lesson_runner.files.untrusted import make_below, remove_tree
from lesson_runner.model.errors import LessonError

PROCESS = "process-"
"""The beginning of the names of files with the number of a process that a bash has started for the runner."""


class Exchange:
    """
    The folder of one bash; :data:`~lesson_runner.execute.terminal.DRIVER` describes its protocol.

    Each block gets a new pipe for its output. A background process that an earlier block has started keeps
    writing into the pipe of that block, which is read and discarded.

    Raises:
        LessonError: the file system has no named pipes.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        if os.path.lexists(folder):  # of a run that was killed
            remove_tree(folder)
        make_below(folder.parent, folder.name)
        folder.chmod(0o700)
        self.folder = folder
        self.reply = self._pipe("reply", os.O_RDWR)
        self._answers = b""

    def feed(self, data: bytes) -> None:
        """Process bytes that were read from :attr:`reply`."""
        self._answers += data

    @property
    def state(self) -> Path:
        """The file in which bash saves its state."""
        return self.folder / "state"

    def _pipe(self, name: str, mode: int) -> IO[bytes]:
        path = self.folder / name
        try:
            os.mkfifo(path, 0o600)
            handle = os.open(path, mode | os.O_NONBLOCK | os.O_CLOEXEC)  # or it waits for a writer
            os.set_blocking(handle, True)
            return os.fdopen(handle, "rb", buffering=0)
        except OSError as error:
            raise LessonError(
                f"{path}: a named pipe cannot be created: {error.strerror}",
                fix="choose a folder on a local disk with --workspace",
            ) from None

    def connect(self, *, apart: bool) -> list[IO[bytes]]:
        """
        Create the pipes for the output of the next block: ``out``, and ``err`` if errors have their own.

        Those of the last block are kept as ``out.old`` and ``err.old``, so that bash can see whether its
        output still goes there.

        Returns:
            their read ends.
        """
        for name in ("out", "err"):
            old, path = self.folder / f"{name}.old", self.folder / name
            if path.exists():
                path.replace(old)
            elif name == "err" and (self.folder / "out.old").exists():
                old.unlink(missing_ok=True)
                os.link(self.folder / "out.old", old)
        return [self._pipe(name, os.O_RDONLY) for name in (("out", "err") if apart else ("out",))]

    def reset(self, *, processes: bool) -> None:
        """
        Forget what is about an earlier bash: its output, and an answer that nobody read.

        Args:
            processes: forget its processes too: they have ended with it, and their numbers belong to others.
        """
        for path in self.folder.glob(f"{PROCESS}*") if processes else ():
            path.unlink()
        for name in ("out", "err", "out.old", "err.old", "state", "ended"):
            (self.folder / name).unlink(missing_ok=True)
        os.set_blocking(self.reply.fileno(), False)
        while self.reply.read(4096):
            pass
        os.set_blocking(self.reply.fileno(), True)
        self._answers = b""

    def ended(self) -> int:
        """Return the status with which bash began to end, before its trap on EXIT; 0 if it has none."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "ended").read_text("ascii"))
        return 0

    def write(self, name: str, text: str) -> None:
        """Write a file for bash to read."""
        (self.folder / name).write_text(text, "utf-8", "surrogateescape", newline="")

    def write_variables(self, values: Mapping[str, str]) -> None:
        """Write the variables of the next block, for bash to set."""
        (self.folder / "variables").unlink(missing_ok=True)
        if values:
            self.write("variables", "".join(f"{name}={value}\0" for name, value in values.items()))

    def answer(self, alive: Callable[[], bool], reader: Reader, deadline: float | None) -> str | None:
        """
        Return the next answer of bash, reading its output meanwhile.

        Returns:
            ``None`` if bash has ended.

        Raises:
            TimeoutError: the deadline (monotonic clock) has passed.
        """
        while b"\n" not in self._answers:
            if not alive():
                return None
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            reader.read(TICK)
        line, _, self._answers = self._answers.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """Remove the folder."""
        self.reply.close()
        with contextlib.suppress(OSError):
            remove_tree(self.folder)
