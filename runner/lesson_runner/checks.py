"""
Checks of a machine as data: a check is a function from a :class:`Machine` to a :class:`Finding`.

Plugins return theirs from ``lesson_checks``; ``lesson doctor`` and the steps of lessons run them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, get_args

from lesson_runner.model import Hardware, Json, misfit

if TYPE_CHECKING:
    import subprocess

FindingStatus = Literal["ok", "warning", "failed", "skipped"]
MOST_PRINTED = 1_000_000
KILLED_SECONDS = 2.0
"""A killed process that is still there then waits in a driver, where nothing can end it."""


def find_user_home() -> Path:
    """Return the user's home; the root folder for one that has none, such as a number in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    status: FindingStatus
    found: str
    expected: str = ""
    fix: str = ""
    """What to type or do; empty where nothing is wrong."""
    command: tuple[str, ...] = ()
    """The words of a command that does what ``fix`` says, for ``lesson doctor --fix``. Only one that loses
    nothing of the user's, and that needs no shell; empty where a person has to do it."""
    facts: Json = field(default_factory=dict)
    """What a run is to remember of it, such as ``{"metal": {"version": "v0.73.0", "found_by": "…"}}``."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ended, or did not."""

    exit_code: int
    """Negative: the signal that killed it. 124: it ran past its time. 127: there is no such program."""
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as checks see it; tests replace its parts."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path = field(default_factory=find_user_home)
    hardware: tuple[Hardware, ...] = ()
    """What the plugins found in it."""
    lesson: Json = field(default_factory=dict)
    """The frontmatter of the lesson that is to run; empty where it is about no lesson."""
    python: str = sys.executable
    python_version: tuple[int, int, int] = sys.version_info[:3]
    backend: str = "auto"
    """``auto``, ``ttml`` or ``emulated``: what the user asked for."""
    workspace: Path = Path(".lesson")

    @property
    def has_board(self) -> bool:
        """True if there is hardware that a run can use."""
        return any(item.usable for item in self.hardware)

    @property
    def wants_board(self) -> bool:
        """True if a run would use a board: there is one, or the user asks for the library that needs one."""
        return self.backend != "emulated" and (self.backend != "auto" or self.has_board)

    @property
    def why_no_board(self) -> str:
        """Why checks that only a board needs are skipped."""
        if self.backend == "emulated":
            return "not needed: --backend emulated"
        looked = ", ".join(item.detected_by for item in self.hardware)
        return f"no board ({looked or 'no plugin looks for one'})"

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        """
        Run a program, and never raise for what it does; ``timeout`` is in seconds.

        Of what it prints, :data:`MOST_PRINTED` bytes are kept, the beginning and the end.
        """
        import subprocess  # here, because every command imports plugins, and they import this module

        try:
            process = subprocess.Popen(
                command,
                env=dict(self.environ),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            return Completed(127, "", str(error))
        try:
            end = time.monotonic() + timeout
            output, errors = _Printed(process.stdout), _Printed(process.stderr)
            process.wait(timeout)
            if not all(printed.ended(end - time.monotonic()) for printed in (output, errors)):
                raise subprocess.TimeoutExpired(command, timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            return Completed(124, "", f"no answer within {timeout:g} s")
        except BaseException:  # Ctrl-C: it must not go on without us
            _kill(process)
            raise
        return Completed(process.returncode, output.text(), errors.text())


class _Printed:
    """What a process prints into one pipe, read in a thread so that it never waits for us."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._head, self._tail = b"", b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def ended(self, seconds: float) -> bool:
        """Wait for the end of what is printed; return whether it came in time."""
        self._thread.join(max(seconds, 0.0))
        return not self._thread.is_alive()

    def text(self) -> str:
        """Return what was kept, with line ends as in a terminal."""
        text = (self._head + self._tail).decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _read(self) -> None:
        half = MOST_PRINTED // 2
        with self._stream:
            while data := os.read(self._stream.fileno(), 65_536):
                room = half - len(self._head)
                self._head += data[:room]
                self._tail = (self._tail + data[room:])[-half:]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with its children, and do not wait for one that cannot be killed."""
    import signal
    import subprocess

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_SECONDS)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing to look at.

    Attributes:
        id: short and stable, such as ``tt-metal-version``.
        title: what a table calls it.
        why: what goes wrong for the learner if it fails.
        run: looks, and changes nothing.
        board_only: skipped where no board will be used.
        asked_by: a key of a lesson's frontmatter; ``lesson doctor LESSON`` makes the check for every lesson
            that has it, whatever its steps run.
    """

    id: str
    title: str
    why: str
    run: Callable[[Machine], Finding]
    board_only: bool = False
    asked_by: str = ""


def run_check(check: Check, machine: Machine) -> Finding:
    """Return what a check finds; one that raises has failed, and is not the end of the others."""
    if check.board_only and not machine.wants_board:
        return Finding("skipped", machine.why_no_board)
    try:
        finding = check.run(machine)
        if not isinstance(finding, Finding) or finding.status not in get_args(FindingStatus):
            raise TypeError(f"{finding!r} is not a Finding")
        if problem := misfit(finding):
            raise TypeError(problem)
        return finding
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may even call sys.exit()
        return Finding("failed", f"the check itself failed: {error!r}", fix="report this")


def run_checks(checks: Iterable[Check], machine: Machine) -> list[tuple[Check, Finding]]:
    """Run the checks in order."""
    return [(check, run_check(check, machine)) for check in checks]


def finding_data(check: Check, finding: Finding) -> Json:
    """Return a check and what it found as plain data, for programs and as evidence."""
    about = {"id": check.id, "title": check.title, "why": check.why}
    data = {**about, **dataclasses.asdict(finding), "command": list(finding.command)}
    return data if finding.facts else {name: value for name, value in data.items() if name != "facts"}


def checks_table(results: Iterable[tuple[Check, Finding]]) -> str:
    """Return the results as text: one line each, and below what is wrong its reason and its fix."""
    rows = list(results)
    width = max((len(check.title) for check, _ in rows), default=0)
    return "\n".join(line for check, finding in rows for line in finding_lines(check, finding, width))


def finding_lines(check: Check, finding: Finding, width: int = 0) -> Iterator[str]:
    """Yield the lines of a table for one check, whose title takes ``width`` columns."""
    status = finding.status.upper() if finding.status == "failed" else finding.status
    yield f"{status:<8} {check.title:<{width}}  {finding.found}".rstrip()
    if finding.status in ("failed", "warning"):
        notes = {"expected": finding.expected, "why": check.why, "fix": finding.fix}
        yield from (f"{'':9}{name + ':':<9} {text}" for name, text in notes.items() if text)
