"""
Run shell blocks as if they shared one terminal.

Each block is a separate bash process, so it has its own exit code, time limit and output. The state that a
terminal would remember is passed from block to block.

Passed on, even if the block calls ``exit`` or fails, but not if it is killed: the working folder, variables
(exported or not, readonly, arrays), shell functions, the umask, and the ``shopt`` options that change what a
pattern matches.

Not passed on: ``set`` options (each block starts with those of its ``strict`` parameter; otherwise one
``set -e`` would change every later block), traps, aliases (scripts do not expand them), redirections by
``exec``.

A block with its own EXIT trap passes its state on only if it reaches its end, and a block that calls
``exec PROGRAM`` leaves the state unchanged. If the state cannot be saved (the disk is full), the block fails;
the next block never starts from an older state. A block that exits inside a function also passes on the local
variables of that function: bash does not say which variables are local.
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
from lesson_runner.model.hints import with_fix

DRIVER = Path(__file__).with_name("driver.sh")
NOT_STORED = b"# not stored\n"
"""The content of a new state file until a block saves its state; ``exec PROGRAM`` prevents that."""
COMPLETE = b"\n# complete\n"
PROBE = 65_536
"""Bytes that are written to find out why a state could not be saved."""
MOST_STATE = 16 * 1024 * 1024
"""The largest state that is passed on, in bytes; the next block reads all of it."""


@dataclass(frozen=True, slots=True)
class ShellState:
    """
    The state of the terminal of a run.

    Attributes:
        folder: where the state is saved. Only the user can read it: blocks may export secrets.
        start: the working folder of the first block.
    """

    folder: Path
    start: Path

    @property
    def saved(self) -> Path:
        """The state after the last block, as a script; missing before the first."""
        return self.folder / "state.sh"

    @property
    def sandbox(self) -> Path:
        """Holds the home folder and ``/tmp`` of commands in a sandbox."""
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
    separate: bool = False,
) -> CommandResult:
    """
    Run a bash script from a terminal state, and save the new state.

    If the new state could not be saved, ``CommandResult.state_error`` says why, and no other block may run.

    Args:
        state: the state of the terminal.
        block: the script; it runs unchanged.
        env: the environment in which the terminal was started.
        on_line: called with output as it arrives: one or more lines, without the last line ending.
        extra: variables exported for this block only; they override those of the terminal.
        strict: stop at the first command that fails (``set -e -o pipefail``). Without it, the exit code is
            that of the last command, as in a terminal.
        deadline: when to stop the block, on the clock of :func:`time.monotonic`.
        redactor: removes secrets from the output.
        sandbox: the sandbox to run in; the block can then write only in ``state.start``.
        separate: read standard output and error through two pipes.

    Raises:
        LessonError: there is no bash, or the saved state is damaged.
        OSError: the folder of the state cannot be written.
    """
    bash = shutil.which("bash", path=env.get("PATH"))
    if bash is None:
        raise LessonError("bash is not on PATH, and shell steps need it", fix="install bash")
    make_below(state.folder.parent, state.folder.name)
    if os.path.lexists(state.saved) and not _is_complete(state.saved):
        raise LessonError(
            f"{state.saved}: the state of the terminal is damaged", fix="start the run from scratch"
        )
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
    finished = run(
        command,
        folder=folder,
        env=env,
        on_line=on_line,
        deadline=deadline,
        redactor=redactor,
        separate=separate,
    )
    # A killed block may have been in the middle of saving its state.
    if finished.timed_out or finished.signal is not None:
        new_state.unlink(missing_ok=True)
        return finished
    try:
        if _is_stored(new_state):
            os.replace(new_state, state.saved)  # noqa: PTH105 - documented as atomic
        else:
            new_state.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            new_state.unlink()
        reason = with_fix((error.strerror or str(error)).lower(), error)
        return dataclasses.replace(finished, state_error=reason)
    return finished


def _is_complete(state: Path) -> bool:
    """Return whether a saved state is complete."""
    try:
        return read_plain(state, MOST_STATE).endswith(COMPLETE)
    except OSError:
        return False


def _is_stored(state: Path) -> bool:
    """
    Return whether a block saved its state; ``False`` if it never got that far.

    Raises:
        OSError: the block could save only a part of its state.
    """
    with open_plain(state) as file:
        begin = file.read(len(NOT_STORED))
        size = file.seek(0, os.SEEK_END)
        if size > MOST_STATE:
            raise OSError(errno.E2BIG, f"it has {size:,} bytes; at most {MOST_STATE:,} are passed on")
        file.seek(max(0, size - len(COMPLETE)))
        complete = file.read() == COMPLETE
        if complete:
            os.fsync(file.fileno())  # some disks report only now that they are full
    if not complete and begin != NOT_STORED:
        with state.open("ab", buffering=0) as file:  # raises the cause, if it persists
            os.write(file.fileno(), bytes(PROBE))
            os.fsync(file.fileno())
        raise OSError(errno.EIO, "it was cut short: was the disk full for a moment?")
    return complete
