"""The evaluation of one block by the bash of a terminal: its output and its result so far."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from lesson_runner.document.statements import Statement
from lesson_runner.execute.child import Reader
from lesson_runner.execute.family import Member
from lesson_runner.execute.lines import BoundedLines, OutputCollector
from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.execute.typist import Typist
from lesson_runner.model import Gap
from lesson_runner.model.errors import LessonError

MOST_READS = 64
"""Reads of 64 KiB after which output that bash itself has printed has certainly been read."""
END = "\n{ __lesson_status=$? __lesson_last=$_ __lesson_pending=; } 2>/dev/null\n"
"""The line after a statement that others follow: ``a && b`` may fail there, and ``eval`` must not."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a block."""

    exit_code: int
    """As in a shell: 128 + n for a process that was ended by signal n."""
    output: str
    """Standard output and error together; if very long, without the middle."""
    stdout: str | None = None
    """Standard output alone, if it was asked for."""
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    """What is missing in ``output`` and ``stdout``, by that name."""
    failed: Statement | None = None
    """The statement that ended the block with a status other than 0."""
    last_words: str = ""
    """The last line that it printed."""
    not_evaluated: tuple[Statement, ...] = ()
    """The statements after one that has ended bash."""
    timed_out: bool = False
    killed: tuple[Member, ...] = ()
    """The processes that were killed at the deadline."""
    still_running: tuple[Member, ...] = ()
    """The processes that it has left in the background."""
    signal: str | None = None
    """The signal that ended bash, such as ``SIGSEGV``."""
    state_error: str = ""
    """Why the state of the terminal could not be saved; empty if it was."""


class Evaluation:
    """A block while it is being evaluated."""

    def __init__(
        self,
        on_line: Callable[[str], None],
        redactor: Redactor | None,
        mode: str,
        *,
        apart: bool,
        deadline: float | None,
        rest: Callable[[bytes], None] | None = None,
        typist: Typist | None = None,
    ) -> None:
        self._on_line = on_line
        self.mode, self.deadline = mode, deadline
        self.rest, self.typist = rest, typist
        self.reader = Reader()
        self.together = BoundedLines()
        self.lines = OutputCollector(self._show, redactor=redactor, also=self.together)
        self.errors: OutputCollector | None = None
        if apart:
            self.errors = OutputCollector(self._show, redactor=redactor, also=self.together)
        self.statement: Statement | None = None
        self.status = 0
        self.not_evaluated: tuple[Statement, ...] = ()
        self.last_words = ""
        self.timed_out = False
        self.state_error = ""

    @property
    def feeds(self) -> list[Callable[..., None]]:
        """What to call with the output of each pipe."""
        return [self.lines.feed, *([self.errors.feed] if self.errors is not None else ())]

    @property
    def gaps(self) -> dict[str, Gap]:
        """What is missing in the output, and in standard output alone."""
        gaps = {"output": self.together.gap(), "stdout": self.lines.gap() if self.errors else None}
        return {name: gap for name, gap in gaps.items() if gap is not None}

    def _show(self, text: str) -> None:
        self.last_words = next((line for line in reversed(text.split("\n")) if line.strip()), self.last_words)
        self._on_line(text)

    def watch(self, pid: int) -> None:
        """Let :attr:`reader` return when the process ends; on Linux only, elsewhere the next tick notices."""
        with contextlib.suppress(AttributeError, OSError):
            self.reader.wake(os.pidfd_open(pid))

    def read_all(self) -> None:
        """Read what bash has printed so far, even if a process in the background never stops printing."""
        for _ in range(MOST_READS):
            if not self.reader.read(0):
                break

    def close(self) -> None:
        """Stop reading; what processes in the background print later goes to ``rest``, or is discarded."""
        if self.typist is not None:
            self.typist.detach(self.reader)
        self.reader.close(*([self.rest] if self.rest is not None else ()))

    def finish(self, left: Collection[Member]) -> None:
        """Read the rest of the output; processes that are left in the background may keep printing."""
        if left or self.typist is not None:  # what a terminal device passes on comes a little later
            self.reader.drain()
        else:
            self.read_all()
        for feed in self.feeds:
            feed(b"", final=True)
        if left and self.rest is None:
            names, last = ", ".join(map(str, by_pid(left))), self.last_words
            self.lines.note(f"[still running in the background: {names}; further output is not shown]")
            self.last_words = last


def by_pid(members: Collection[Member]) -> tuple[Member, ...]:
    """Return processes in the order of their numbers."""
    return tuple(sorted(members, key=lambda member: member.pid))


def status_of(answer: str) -> int:
    """
    Return the status that an answer reports.

    Raises:
        LessonError: the block has changed what bash needs for its answers, such as ``builtin``.
    """
    status = answer.removeprefix("done ")
    if not status.isdecimal():
        raise LessonError(
            "the block has changed a command of bash that the runner needs: its status is unknown",
            fix="do not define a function or an alias that is called 'builtin' or 'printf'",
        )
    return int(status)


def text_of(statement: Statement) -> str:
    """Return the text that bash evaluates for a statement."""
    file = statement.startup_file
    if statement.stops_reading:  # as an interactive bash does
        return ":"
    if not file:
        return statement.text
    return (  # not `builtin source`: `set -e` ends bash inside it, in spite of `||`
        f"if [[ -r {file} ]]; then {{ source <(__lesson_startup_file {file}) || :; }};"
        f" else {statement.text}; fi"
    )
