"""What is printed when a command cannot do its work: the cause and the cure, or a report for us."""

from __future__ import annotations

import contextlib
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from lesson_runner import __version__
from lesson_runner.errors import ExitCode, InvalidLessonError, LessonError
from lesson_runner.hints import cure
from lesson_runner.report.text import safe


def report_error(error: LessonError) -> int:
    """Print an error that the user can mend, and return its exit code."""
    lines = [f"error: {error}"]
    if isinstance(error, InvalidLessonError):
        lines += [f"  {diagnostic}" for diagnostic in error.diagnostics if diagnostic.severity == "error"]
    if error.fix:
        lines.append(f"fix: {error.fix}")
    _say(*lines)
    return int(error.exit_code)


def report_machine(error: Exception) -> int:
    """Print an error that is the machine's, such as a full disk, and return the exit code."""
    if isinstance(error, OSError):
        what = f"{error.filename or 'the output'}: cannot be written: {error.strerror}"
    else:
        what = str(error) or "out of memory"
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # or Python tries once more at exit
    _say(f"error: {what}", f"fix: {cure(error)}")
    return int(ExitCode.FIXABLE)


def report_bug(error: Exception, arguments: Sequence[str]) -> int:
    """Write a report on an error of ours to a file, say where it is, and return the exit code."""
    trace = "".join(traceback.format_exception(error))
    text = (
        f"lesson {' '.join(arguments)}\n"
        f"lesson-runner {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n{trace}"
    )
    text = _redacted(text)  # what is reported goes to others
    said = [f"error: this is a bug in lesson-runner: {type(error).__name__}: {error}"]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="lesson-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        said.append(f"fix: please report it with the file {Path(file.name)}")
    except OSError as trouble:
        said += [f"fix: please report it ({tempfile.gettempdir()}: {trouble.strerror}), with this:", text]
    _say(*said)
    return int(ExitCode.BUG)


def _redacted(text: str) -> str:
    from lesson_runner.execute.environment import redactor_for

    return redactor_for().text(text)


def _say(*lines: str) -> None:
    lines = tuple(map(_redacted, lines))
    with contextlib.suppress(OSError):  # the terminal may be gone
        sys.stderr.write("\n".join(safe(line) for line in lines) + "\n")
