"""
Every error the runner raises on purpose.

::

    LessonError                 something the user can fix (exit 2)
    ├── InvalidLessonError      a lesson or a plan with errors in it; carries the diagnostics
    ├── TimedOutError           a step took longer than it may
    ├── HardwareError           this hardware cannot run it (exit 4)
    └── CertificateError        a certificate does not hold, or a policy is not met (exit 5)

Anything else that escapes is our bug: ``lesson`` writes a report file and exits with 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.model import Diagnostic


class ExitCode(IntEnum):
    """What the process says to a program that called it."""

    GOOD = 0
    FAILED = 1
    """A step failed, ``validate`` found an error, or ``doctor`` a fault."""
    FIXABLE = 2
    """Usage, a missing file, a lesson that does not validate given to ``run``."""
    BUG = 3
    HARDWARE = 4
    CERTIFICATE = 5
    """A certificate that does not hold, or a policy that is not met."""
    INTERRUPTED = 130


class LessonError(Exception):
    """
    An error with its cure.

    Args:
        message: what is wrong, with ``file:line:column`` or the flag's name.
        fix: what to do about it, if that is known.
    """

    exit_code: ExitCode = ExitCode.FIXABLE

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class InvalidLessonError(LessonError):
    """A lesson (or what a plugin made of its blocks, or a file of settings) has errors."""

    def __init__(self, diagnostics: Sequence[Diagnostic], what: str = "the lesson does not validate") -> None:
        errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
        super().__init__(f"{what}: {errors} error{'s' if errors != 1 else ''}")
        self.diagnostics = tuple(diagnostics)


class TimedOutError(LessonError):
    """A step took longer than its ``timeout``."""


class HardwareError(LessonError):
    """What was asked for needs hardware, or a library for it, that this machine does not have."""

    exit_code = ExitCode.HARDWARE


class CertificateError(LessonError):
    """A certificate does not hold, or runs do not show what a policy asks."""

    exit_code = ExitCode.CERTIFICATE
