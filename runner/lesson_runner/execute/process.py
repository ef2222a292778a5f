"""Run one command to its end: output line by line, a deadline, no processes left by accident."""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.child import Reader, signal_name, start, wait
from lesson_runner.execute.family import TICK, TOKEN, Family, Member, adopt_orphans
from lesson_runner.execute.lines import BoundedLines, OutputCollector
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.model import Gap
from lesson_runner.model.errors import LessonError

REAPED = 1.0
"""Seconds to wait for the exit code; a process that hangs in a driver survives even SIGKILL."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command."""

    exit_code: int
    """As in a shell: 128 + n for a process that was ended by signal n."""
    output: str
    """Standard output and error together; if very long, without the middle."""
    stdout: str | None
    """Standard output alone; ``None`` if it was not read separately."""
    gaps: Mapping[str, Gap]
    """What is missing in ``output`` and ``stdout``, by that name."""
    family: Family
    timed_out: bool = False
    killed: tuple[Member, ...] = ()
    """The processes that were killed at the deadline."""
    still_running: tuple[Member, ...] = ()
    """The processes that are still running."""
    signal: str | None = None
    """The signal that ended it, such as ``SIGSEGV``."""
    state_error: str = ""
    """Why the state of the terminal could not be saved; empty if it was."""


def run(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    deadline: float | None = None,
    grace: float = 2.0,
    redactor: Redactor | None = None,
    separate: bool = False,
) -> CommandResult:
    """
    Run a command in its own session, with an empty standard input.

    Processes that it leaves in the background continue: ``still_running`` lists them, ``family.stop`` ends
    them. At the deadline, and on any exception (including Ctrl-C), all its processes are ended.

    Args:
        command: the program and its arguments.
        folder: the working folder.
        env: the complete environment.
        on_line: called with output as it arrives: one or more lines, without the last line ending.
        deadline: when to stop the command, on the clock of :func:`time.monotonic`.
        grace: seconds between SIGTERM and SIGKILL.
        redactor: removes secrets from the output.
        separate: read standard output and error through two pipes. Their lines are shown and kept in the
            order in which they are read, which may differ from the order in which they were written.

    Raises:
        LessonError: the command cannot be started.
    """
    token = uuid.uuid4().hex
    adopt_orphans(enabled=True)
    family = Family(-1, token)  # until its process is known, only the token identifies it
    process: subprocess.Popen[bytes] | None = None
    reader: Reader | None = None
    killed: tuple[Member, ...] = ()
    # Ctrl-C can come at any moment, even while the command is being started.
    try:
        process = start(command, env={**env, TOKEN: token}, folder=folder, merged=not separate)
        family = Family.of(process.pid, token)
        together = BoundedLines()
        lines = OutputCollector(on_line, redactor=redactor, also=together)
        errors = OutputCollector(on_line, redactor=redactor, also=together)
        reader = Reader((process.stdout, lines.feed), (process.stderr, errors.feed))
        in_time = reader.read_until_end(process, deadline)
        if not in_time:
            killed = family.stop(grace, reader.read)
        wait(process, REAPED)
        reader.drain()
        lines.feed(b"", final=True)
        errors.feed(b"", final=True)
        still_running = tuple(sorted(family.members(), key=lambda member: member.pid))
        if reader.open:
            names = ", ".join(map(str, still_running)) or "unknown"
            lines.note(f"[still running in the background: {names}; further output is not shown]")
    except BaseException as error:
        if process is None and isinstance(error, OSError):  # it did not start
            raise LessonError(f"{command[0]} cannot be started in {folder}: {error.strerror}") from error
        if process is None:
            time.sleep(TICK)  # a forked child may not have run exec yet, so it does not carry the token
        else:
            family = family if family.root == process.pid else Family(process.pid, token)
        family.stop(grace)
        if process is not None:
            wait(process, REAPED)
        raise
    finally:
        family.reap()
        adopt_orphans(enabled=False)
        if reader is not None:
            reader.close()
        elif process is not None and process.stdout is not None:
            process.stdout.close()
    code = -signal.SIGKILL if process.returncode is None else process.returncode
    gaps = {"output": together.gap(), "stdout": lines.gap() if separate else None}
    return CommandResult(
        exit_code=code if code >= 0 else 128 - code,
        output=together.text(),
        stdout=lines.text() if separate else None,
        gaps={name: gap for name, gap in gaps.items() if gap is not None},
        family=family,
        timed_out=not in_time,
        killed=killed,
        still_running=still_running,
        signal=signal_name(-code),
    )
