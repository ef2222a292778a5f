"""
Every error the runner raises on purpose.

::

    LessonError                 something the user can fix (exit 2)
    ├── InvalidLessonError      a lesson or a plan has errors; carries the diagnostics
    ├── TimedOutError           a step exceeded its timeout
    ├── UnmetNeedError          a step needs what this machine lacks: it is skipped
    ├── HardwareError           this hardware cannot run it (exit 4)
    └── CertificateError        a certificate is not valid, or a policy is not met (exit 5)

Any other exception that escapes is a bug: ``lesson`` writes a report file and exits with 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.model import Diagnostic


class ExitCode(IntEnum):
    """Exit codes of ``lesson``."""

    GOOD = 0
    FAILED = 1
    """A step failed, ``validate`` found an error, or a check of ``doctor`` failed."""
    FIXABLE = 2
    """Wrong usage, a missing file, or a lesson with errors given to ``run``."""
    BUG = 3
    HARDWARE = 4
    CERTIFICATE = 5
    """A certificate is not valid, or a policy is not met."""
    INTERRUPTED = 130


class LessonError(Exception):
    """
    An error that the user can fix.

    Args:
        message: what is wrong, with ``file:line:column`` or the name of the flag.
        fix: how to fix it, if known.
    """

    exit_code: ExitCode = ExitCode.FIXABLE

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class InvalidLessonError(LessonError):
    """A lesson (or a plugin's interpretation of its blocks, or a settings file) has errors."""

    def __init__(self, diagnostics: Sequence[Diagnostic], what: str = "the lesson does not validate") -> None:
        errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
        super().__init__(f"{what}: {errors} error{'s' if errors != 1 else ''}")
        self.diagnostics = tuple(diagnostics)


class TimedOutError(LessonError):
    """A step took longer than its ``timeout``."""


class UnmetNeedError(LessonError):
    """A step needs something that this machine, or this run, does not have; the step is skipped."""


class HardwareError(LessonError):
    """This machine lacks hardware that is required, or a library for it."""

    exit_code = ExitCode.HARDWARE


class CertificateError(LessonError):
    """A certificate is not valid, or runs do not meet a policy."""

    exit_code = ExitCode.CERTIFICATE
