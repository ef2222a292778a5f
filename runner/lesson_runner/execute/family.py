"""Find all processes that a command has started, and end them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = "LESSON_STEP_TOKEN"
"""An environment variable with a value unique to each command, inherited by all its processes."""
RUN = "LESSON_RUN"
"""An environment variable with the folder of the run that a process belongs to."""
TICK = 0.05
PROC = Path("/proc")
_SET_CHILD_SUBREAPER = 36
"""In Linux's ``prctl.h``."""


@dataclass(frozen=True, slots=True)
class Member:
    """One process; ``started`` distinguishes it from a later process with the same number."""

    pid: int
    started: str
    name: str = field(compare=False)
    """Changes when the process calls ``exec``."""

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


@dataclass(frozen=True, slots=True)
class Row:
    """One process as the system lists it."""

    member: Member
    parent: int
    group: int
    session: int


@dataclass(frozen=True, slots=True)
class Family:
    """
    The processes that descend from one command.

    They are found by process group, session and parent; on Linux also by the token in their environment and,
    after :func:`adopt_orphans`, as children of this process, so even a daemon that has cleared its
    environment is found. On other systems, a daemon that has left all three escapes.
    """

    root: int
    """The command's process, the leader of its group and session."""
    token: str
    since: int = 0
    """When the command was started, in system ticks; 0: unknown. Older processes are excluded."""
    variable: str = TOKEN
    """The environment variable that holds the token."""

    @classmethod
    def of(cls, pid: int, token: str) -> Family:
        """Return the family of a process that has just been started."""
        row = _read_row(PROC, str(pid))
        return cls(pid, token, int(row.member.started) if row else 0)

    @classmethod
    def of_run(cls, folder: Path) -> Family:
        """Return the processes that a killed run left running; on Linux only."""
        return cls(-1, str(folder), variable=RUN)

    def members(self) -> set[Member]:
        """Return the processes that are alive."""
        rows = {row.member.pid: row for row in processes() if row.member.pid != os.getpid()}
        found = {pid for pid, row in rows.items() if self.root in (pid, row.group, row.session)}
        found |= {pid for pid in rows.keys() - found if self._carries_token(rows[pid].member)}
        found |= {pid for pid, row in rows.items() if self.since and _is_adopted(row, self.since)}
        while more := {pid for pid, row in rows.items() if row.parent in found} - found:
            found |= more
        return {rows[pid].member for pid in found}

    def signal(self, number: signal.Signals, spared: Collection[Member] = ()) -> set[Member]:
        """Send a signal to every member except the spared ones; return those that got it."""
        members = self.members().difference(spared)
        outside = [member for member in members if spared or _group(member.pid) != self.root]
        if len(outside) < len(members):
            # Signal the whole group first, in one call, so that no member can fork meanwhile.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.root, number)
        for member in outside:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(member.pid, number)
        return members

    def stop(
        self,
        grace: float,
        wait: Callable[[float], object] = time.sleep,
        spared: Collection[Member] = (),
    ) -> tuple[Member, ...]:
        """
        End every member: send SIGTERM, then SIGKILL to those still alive after ``grace`` seconds.

        Args:
            grace: seconds that the processes get to clean up.
            wait: called with the seconds until the next check.
            spared: members that continue.

        Returns:
            the processes that were signalled, in the order in which they were started.
        """
        seen: set[Member] = set()
        try:
            seen |= self.signal(signal.SIGTERM, spared)
            end = time.monotonic() + grace
            while time.monotonic() < end and self.members().difference(spared):
                wait(TICK)
        finally:  # a second Ctrl-C ends the wait, not the killing
            # Repeat, for processes forked meanwhile; but give up on a process that hangs in a driver.
            end = time.monotonic() + 2
            while time.monotonic() < end and (rest := self.signal(signal.SIGKILL, spared)):
                seen |= rest
                time.sleep(TICK)
        self.reap()
        return tuple(sorted(seen, key=self._age))

    def reap(self) -> None:
        """Collect the exit codes of adopted processes that have ended, or they stay as zombies."""
        for pid in _children() if self.since else ():
            row = _read_row(PROC, pid, zombies=True)
            if row is not None and row.member.pid != self.root and _is_adopted(row, self.since):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(row.member.pid, os.WNOHANG)

    def _age(self, member: Member) -> tuple[bool, int, int]:
        """Return a sort key: the command first, then by start time, because process numbers wrap around."""
        ticks = int(member.started) if member.started.isdigit() else 0
        return (member.pid != self.root, ticks, member.pid)

    def _carries_token(self, member: Member) -> bool:
        if self.since and int(member.started) < self.since:  # true for nearly all processes of a machine
            return False
        try:
            with open(f"{PROC}/{member.pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123 - as below
                return f"{self.variable}={self.token}".encode() in file.readall().split(b"\0")
        except OSError:  # gone, someone else's, or no /proc at all
            return False


def adopt_orphans(*, enabled: bool) -> None:
    """Make this process adopt descendants whose parent ends, or stop doing so; on Linux only."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(enabled), 0, 0, 0)


def _is_adopted(row: Row, since: int) -> bool:
    """
    Return whether a process was adopted: a child in another session, started at or after ``since``.

    Other children of this process stay in its session.
    """
    mine = row.parent == os.getpid() and row.session != os.getsid(0)
    return mine and int(row.member.started) >= since


def _children() -> Iterator[str]:
    """Yield the process numbers of this process's children, from ``/proc``."""
    try:
        for thread in (PROC / "self" / "task").iterdir():
            yield from (thread / "children").read_text().split()
    except OSError:  # no /proc, or a kernel without this file
        yield from filter(str.isdigit, os.listdir(PROC) if PROC.exists() else ())  # noqa: PTH208 - as below


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def ticks() -> int | None:
    """Return the time now as in ``Member.started``; ``None`` on systems where that is no number."""
    if not hasattr(time, "CLOCK_BOOTTIME") or not (PROC / "self" / "stat").exists():
        return None
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def start_time(pid: int) -> str:
    """Return the start time of a process, in the system's format; empty if the process has ended."""
    return next((row.member.started for row in processes() if row.member.pid == pid), "")


def processes() -> Iterator[Row]:
    """Yield every process of this machine that is not a zombie."""
    return _from_proc() if (PROC / "self" / "stat").exists() else _from_ps()


def _from_proc() -> Iterator[Row]:
    for entry in os.listdir(PROC):  # noqa: PTH208 - a quarter of the time, and every step waits for it
        if entry.isdigit() and (row := _read_row(PROC, entry)):
            yield row


def _read_row(proc: Path, pid: str, *, zombies: bool = False) -> Row | None:
    """Read a process from ``/proc``; ``None`` if it has ended (a zombie too, unless ``zombies``)."""
    try:
        with open(f"{proc}/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - half of the time
            text = file.readall().decode("utf-8", "replace")
    except OSError:
        return None
    # The name is in parentheses, and may contain parentheses itself.
    before, _, after = text.rpartition(")")
    fields = after.split(None, 20)
    if len(fields) < 20 or (fields[0] in "ZX" and not zombies):
        return None
    member = Member(int(pid), fields[19], before.partition("(")[2])
    return Row(member, int(fields[1]), int(fields[2]), int(fields[3]))


def _from_ps() -> Iterator[Row]:
    command = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart=,comm="]
    listing = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    for line in listing.stdout.decode("utf-8", "replace").splitlines():
        fields = line.split(None, 9)
        if len(fields) < 10 or fields[3].startswith("Z"):
            continue
        pid, parent, group, _, *started, name = fields
        with contextlib.suppress(ProcessLookupError, PermissionError):
            member = Member(int(pid), " ".join(started), name.rpartition("/")[2])
            yield Row(member, int(parent), int(group), os.getsid(int(pid)))
