"""
Shell blocks that share one terminal.

Each block is a bash process of its own, so it has its own exit code, time limit and output; what a
reader's terminal would remember is handed on from block to block.

Handed on, also when the block calls ``exit`` or fails, but not when it is killed: the working folder,
variables (exported or not, readonly, arrays), shell functions, the umask, and the ``shopt`` options that
change what a pattern matches.

Not handed on: ``set`` options (each block starts with those of its ``strict`` parameter, or one ``set -e``
would change every later block), traps, aliases (scripts do not expand them), redirections by ``exec``.
A block with an EXIT trap of its own hands on its state only if it gets to its end, and one that calls
``exec PROGRAM`` leaves the state as it was. A state that cannot be stored (the disk is full) is an error of
the block, never the state before it. One that exits inside a
function hands on that function's local variables as well: bash does not say which they are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.process import CommandResult, run
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.execute.sandbox import OUTSIDE, Sandbox
from lesson_runner.files.plain import open_plain, read_plain
from lesson_runner.files.untrusted import make_below
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import with_cure

DRIVER = Path(__file__).with_name("driver.sh")
NOT_STORED = b"# not stored\n"
"""What a state holds before a block stores it; one that was replaced by ``exec`` never does."""
COMPLETE = b"\n# complete\n"
PROBE = 65_536
"""Bytes that are written to find out why a state could not be."""
MOST_STATE = 16 * 1024 * 1024
"""Bytes of variables and functions that are handed on; the next block reads all of them."""


@dataclass(frozen=True, slots=True)
class ShellState:
    """
    What the terminal of a run remembers.

    Attributes:
        folder: where that is kept. Only the user can read it: blocks may export secrets.
        start: the folder the first block starts in.
    """

    folder: Path
    start: Path

    @property
    def saved(self) -> Path:
        """The state after the last block, as a script; missing before the first."""
        return self.folder / "state.sh"

    @property
    def sandbox(self) -> Path:
        """What commands in a sandbox find in their home folder and in ``/tmp``."""
        return self.folder / "sandbox"


def run_block(
    state: ShellState,
    block: Path,
    *,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    extra: Mapping[str, str] | None = None,
    strict: bool = True,
    deadline: float | None = None,
    redactor: Redactor | None = None,
    sandbox: Sandbox | None = None,
) -> CommandResult:
    """
    Run a bash script in the terminal that ``state`` stands for, and remember how it left it.

    ``CommandResult.state_error`` says why, if that could not be remembered: then the next block must not run.

    Args:
        state: the terminal.
        block: the script; it runs exactly as it is.
        env: the environment that the terminal was started in.
        on_line: called with output as it comes: one or more lines, without the last line end.
        extra: variables exported for this block only; stronger than the terminal's.
        strict: stop at the first command that fails (``set -e -o pipefail``). Without it the exit
            code is that of the last command, as in a terminal.
        deadline: when to stop it, on the clock of :func:`time.monotonic`.
        redactor: keeps secrets out of its output.
        sandbox: what it runs in; of all folders it can then change ``state.start`` alone.

    Raises:
        LessonError: there is no bash.
        OSError: the folder of the state cannot be written.
    """
    bash = shutil.which("bash", path=env.get("PATH"))
    if bash is None:
        raise LessonError("no bash on PATH: shell steps run in it", fix="install bash")
    make_below(state.folder.parent, state.folder.name)
    if os.path.lexists(state.saved) and not _is_complete(state.saved):
        raise LessonError(f"{state.saved} is not what a block left", fix="start the run from scratch")
    state.start.mkdir(parents=True, exist_ok=True)
    new_state = state.folder / "state.new"
    new_state.unlink(missing_ok=True)
    new_state.touch(mode=0o600)
    new_state.write_bytes(NOT_STORED)
    places = (DRIVER, state.saved, new_state, state.start)
    command = [
        *(bash, "--noprofile", "--norc", "-c", 'source "$1"', "bash"),
        *(str(place.absolute()) for place in places),
        "strict" if strict else "plain",
        str(block.absolute()),
        *(f"{name}={value}" for name, value in (extra or {}).items()),
    ]
    if sandbox is not None:
        env = sandbox.environment(env)
        readable = (DRIVER.parent, state.folder, block.absolute().parent)
        command = sandbox.command(
            command, env, state.sandbox, state.start, writable=(state.start, new_state), readable=readable
        )
    folder = state.start if sandbox is None else OUTSIDE
    finished = run(command, folder=folder, env=env, on_line=on_line, deadline=deadline, redactor=redactor)
    # A block that was killed may have been in the middle of anything, storing its state included.
    if finished.timed_out or finished.signal is not None:
        new_state.unlink(missing_ok=True)
        return finished
    try:
        if _is_stored(new_state):
            os.replace(new_state, state.saved)  # noqa: PTH105 - atomic, and says so
        else:
            new_state.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            new_state.unlink()
        reason = with_cure((error.strerror or str(error)).lower(), error)
        return dataclasses.replace(finished, state_error=reason)
    return finished


def _is_complete(state: Path) -> bool:
    """Return whether a state that was kept is as a block stored it."""
    try:
        return read_plain(state, MOST_STATE).endswith(COMPLETE)
    except OSError:
        return False


def _is_stored(state: Path) -> bool:
    """
    Return whether a block has stored its state; ``False`` if it never came to that.

    Raises:
        OSError: it could not store all of it.
    """
    with open_plain(state) as file:
        begin = file.read(len(NOT_STORED))
        size = file.seek(0, os.SEEK_END)
        if size > MOST_STATE:
            raise OSError(errno.E2BIG, f"it has {size:,} bytes; at most {MOST_STATE:,} are handed on")
        file.seek(max(0, size - len(COMPLETE)))
        complete = file.read() == COMPLETE
        if complete:
            os.fsync(file.fileno())  # a disk may say only now that it is full
    if not complete and begin != NOT_STORED:
        with state.open("ab", buffering=0) as file:  # says why, if the reason is still there
            os.write(file.fileno(), bytes(PROBE))
            os.fsync(file.fileno())
        raise OSError(errno.EIO, "it was cut short: was the disk full for a moment?")
    return complete
