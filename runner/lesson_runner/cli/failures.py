"""What is printed when a command cannot do its work: the cause and the cure, or a report for us."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from lesson_runner import __version__
from lesson_runner.errors import ExitCode, InvalidLessonError, LessonError
from lesson_runner.execute.environment import redactor_for
from lesson_runner.report.text import safe


def report_error(error: LessonError) -> int:
    """Print an error that the user can mend, and return its exit code."""
    lines = [f"error: {error}"]
    if isinstance(error, InvalidLessonError):
        lines += [f"  {diagnostic}" for diagnostic in error.diagnostics if diagnostic.severity == "error"]
    if error.fix:
        lines.append(f"fix: {error.fix}")
    sys.stderr.write(safe("\n".join(lines)) + "\n")
    return int(error.exit_code)


def report_bug(error: Exception, arguments: Sequence[str]) -> int:
    """Write a report on an error of ours to a file, say where it is, and return the exit code."""
    trace = "".join(traceback.format_exception(error))
    text = (
        f"lesson {' '.join(arguments)}\n"
        f"lesson-runner {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n{trace}"
    )
    redactor = redactor_for()  # what is reported goes to others
    with tempfile.NamedTemporaryFile(
        "w", prefix="lesson-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(redactor.text(text))
    sys.stderr.write(
        f"error: this is a bug in lesson-runner: {type(error).__name__}: {safe(redactor.text(str(error)))}\n"
        f"fix: please report it with the file {Path(file.name)}\n"
    )
    return int(ExitCode.BUG)
