"""``--sandbox`` and ``--env``: what commands of a lesson may touch, and which variables they get."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.cli.output import say

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox
    from lesson_runner.model import Hardware


@dataclass(frozen=True, slots=True)
class Guard:
    """
    What commands are kept from.

    Attributes:
        passed: variables that they get although they look like credentials.
        sandbox: what they run in; ``None``: as the user, with all that the user may do.
        granted: the permissions of the lesson.
    """

    passed: frozenset[str] = frozenset()
    sandbox: Sandbox | None = None
    granted: frozenset[str] = frozenset()

    def with_permissions(self, granted: frozenset[str]) -> Guard:
        """Return the same with these permissions; a sandbox has network if they allow any."""
        from lesson_runner.run.permissions import NETWORK, kind_of

        network = NETWORK in map(kind_of, granted)
        sandbox = self.sandbox and dataclasses.replace(self.sandbox, network=network)
        return dataclasses.replace(self, sandbox=sandbox, granted=granted)


def open_guard(env: Iterable[str] | None, hardware: Sequence[Hardware], *, sandbox: bool) -> Guard:
    """
    Return what the options ask for; warn if a sandbox cannot refuse system calls on this processor.

    Raises:
        LessonError: a variable is not there, or no sandbox can be made here.
    """
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.execute.sandbox import open_sandbox
    from lesson_runner.execute.seccomp import filter_program

    if sandbox and filter_program(network=False) is None:
        what = f"--sandbox: no system call can be refused on this processor ({platform.machine()})"
        say(f"warning: {what}: your keyrings and the Unix sockets of other programs are in reach", err=True)
    return Guard(check_passed(env or ()), open_sandbox(hardware) if sandbox else None)
