"""``--sandbox``: what commands of a lesson may touch."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lesson_runner.cli.output import say

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox
    from lesson_runner.model import Hardware


def make_sandbox(hardware: Sequence[Hardware], *, wanted: bool) -> Sandbox | None:
    """
    Return a sandbox if one is wanted; commands in it can use the hardware.

    A warning says if it cannot refuse system calls on this processor.

    Raises:
        LessonError: no sandbox can be made here.
    """
    from lesson_runner.execute.sandbox import open_sandbox
    from lesson_runner.execute.seccomp import filter_program

    if not wanted:
        return None
    if filter_program(network=False) is None:
        what = f"--sandbox: no system call can be refused on this processor ({platform.machine()})"
        say(f"warning: {what}: your keyrings and the Unix sockets of other programs are in reach", err=True)
    return open_sandbox(hardware)
