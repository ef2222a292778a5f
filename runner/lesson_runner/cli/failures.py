"""Print why a command failed: an error with its fix, or a bug with a report file."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner import __version__
from lesson_runner.cli.output import say
from lesson_runner.model.errors import ExitCode, InvalidLessonError, LessonError
from lesson_runner.model.hints import fix_for
from lesson_runner.report.text import line

if TYPE_CHECKING:
    import typer

    from lesson_runner.plugins.manager import Plugins


def report_error(error: LessonError) -> int:
    """Print an error that the user can fix, and return its exit code."""
    lines = [f"error: {error}"]
    if isinstance(error, InvalidLessonError):
        lines += [f"  {diagnostic}" for diagnostic in error.diagnostics if diagnostic.severity == "error"]
    if error.fix:
        lines.append(f"fix: {error.fix}")
    _say(*lines)
    return int(error.exit_code)


def report_plugins(plugins: Plugins) -> None:
    """Print what went wrong in plugins, except for what the command has shown."""
    broken = [f"warning: {error}" for error in plugins.unreported if not error.is_diagnosed]
    if lines := [*broken, *(f"note: {text}" for text in plugins.notes)]:
        _say(*lines)


_ENVIRONMENT = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EMFILE, errno.ENFILE, errno.ENXIO, errno.ESTALE, errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT),
    }
)
"""Error numbers caused by files, folders and limits of this machine, not by a fault in the program."""


def is_environment_error(error: Exception) -> bool:
    """Return True if the machine caused the error: a full disk, permissions, a removed folder."""
    if fix_for(error):
        return True
    return isinstance(error, OSError) and (error.errno in _ENVIRONMENT or not _has_folder())


def _has_folder() -> bool:
    """Return True if the current folder exists and can be entered."""
    try:
        os.stat(os.getcwd())  # noqa: PTH109, PTH116  # getcwd alone accepts a folder that cannot be entered
    except OSError:
        return False
    return True


def report_usage(error: typer.TyperException) -> int:
    """Print an error in the arguments, and return its exit code."""
    error.message = line(error.message)
    show = getattr(error, "show", None)
    if show is None:
        _say(f"Error: {error}")
    else:
        show(sys.stderr)
    return int(ExitCode.FIXABLE)


def report_environment_error(error: Exception) -> int:
    """Print an error that the machine caused, such as a full disk, and return the exit code."""
    fix = fix_for(error)
    if isinstance(error, OSError) and not _has_folder():
        what, fix = "the current folder was removed or cannot be entered", "cd to another folder"
    elif isinstance(error, OSError) and fix:
        what = f"{error.filename or 'the output'}: cannot be written: {error.strerror}"
    elif isinstance(error, OSError):
        what = f"{error.filename or 'a file'}: {error.strerror}"
        fix = "check that it exists and that you have access, or use another path"
    else:
        what = str(error) or "out of memory"
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # or Python tries to flush it again at exit
    _say(f"error: {what}", f"fix: {fix}")
    return int(ExitCode.FIXABLE)


def report_bug(error: Exception, arguments: Sequence[str]) -> int:
    """Write a report on a bug of lesson-runner to a file, print its path, and return the exit code."""
    trace = "".join(traceback.format_exception(error))
    text = (
        f"lesson {' '.join(arguments)}\n"
        f"lesson-runner {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n{trace}"
    )
    text = _redacted(text)  # the user sends the report to others
    lines = [f"error: this is a bug in lesson-runner: {type(error).__name__}: {error}"]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="lesson-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        lines.append(f"fix: please report it and attach the file {Path(file.name)}")
    except OSError as trouble:
        lines += [
            f"fix: please report it with the text below ({tempfile.gettempdir()}: {trouble.strerror}):",
            *text.split("\n"),
        ]
    _say(*lines)
    return int(ExitCode.BUG)


def _redacted(text: str) -> str:
    from lesson_runner.execute.environment import redactor_for

    return redactor_for().text(text)


def _say(*lines: str) -> None:
    lines = tuple(map(_redacted, lines))
    with contextlib.suppress(OSError):  # the terminal may be gone
        say(*lines, err=True)
