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
from lesson_runner.execute.saved_state import MOST_STATE
from lesson_runner.files.plain import read_plain
from lesson_runner.files.untrusted import make_below, remove_tree
from lesson_runner.model.errors import LessonError

PROCESS = "process-"
"""The beginning of the names of files with the number of a process that a bash has started for the runner."""
OWN = "bash"
"""The folder in the folder of an exchange in which bash writes."""
ENDED = "ended"
"""The file in there with the status with which bash began to end."""


class Exchange:
    """
    The folder of one bash; :data:`~lesson_runner.execute.terminal.DRIVER` describes its protocol.

    Bash writes only into pipes and below :data:`OWN`, so in a sandbox it need not be able to change the rest:
    a link could lead the runner, which is outside, to any file.

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
        self.folder, self.own = folder, make_below(folder, OWN)
        self._reply = self._pipe("reply", os.O_RDWR)
        self._state = self._pipe("state", os.O_RDWR)
        self._answers = self._printed = b""

    def attach(self, reader: Reader) -> None:
        """Let a reader read the answers of bash and its state."""
        reader.add(self._reply, self._answer, urgent=True)
        reader.add(self._state, self._print)

    def detach(self, reader: Reader) -> None:
        """No longer let a reader read them."""
        reader.release(self._reply)
        reader.release(self._state)

    def _answer(self, data: bytes) -> None:
        self._answers += data

    def _print(self, data: bytes) -> None:
        if len(self._printed) <= MOST_STATE:
            self._printed += data

    def take_state(self) -> bytes:
        """Return the state that bash has printed since the last call."""
        state, self._printed = self._printed, b""
        return state

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
        for path in self.own.glob(f"{PROCESS}*") if processes else ():
            path.unlink()
        (self.own / ENDED).unlink(missing_ok=True)
        for name in ("out", "err", "out.old", "err.old"):
            (self.folder / name).unlink(missing_ok=True)
        for pipe in (self._reply, self._state):
            os.set_blocking(pipe.fileno(), False)
            while pipe.read(65_536):
                pass
            os.set_blocking(pipe.fileno(), True)
        self._answers = self._printed = b""

    def ended(self) -> int:
        """Return the status with which bash began to end, before its trap on EXIT; 0 if it has none."""
        with contextlib.suppress(OSError, ValueError):
            return int(read_plain(self.own / ENDED, 16))
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
        self._reply.close()
        self._state.close()
        with contextlib.suppress(OSError):
            remove_tree(self.folder)
