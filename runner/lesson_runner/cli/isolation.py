"""``--sandbox``: limit what the commands of a lesson can access."""

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

    Prints a warning if the sandbox cannot block system calls on this processor.

    Raises:
        LessonError: this machine cannot create a sandbox.
    """
    from lesson_runner.execute.sandbox import open_sandbox
    from lesson_runner.execute.seccomp import filter_program

    if not wanted:
        return None
    if filter_program(network=False) is None:
        what = f"--sandbox cannot block system calls on this processor ({platform.machine()})"
        say(
            f"warning: {what}: commands can reach your keyrings and the Unix sockets of other programs",
            err=True,
        )
    return open_sandbox(hardware)
