"""
The command line: ``lesson``.

The modules of this package read arguments, call the library and print. A command imports everything else
inside its function, so that ``lesson --help`` stays fast.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import io
import os
import signal
import sys
from collections.abc import Sequence

from lesson_runner.model.errors import ExitCode, LessonError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``lesson`` and end the process with the exit code that :class:`ExitCode` documents."""
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a stream that cannot encode "✓" must not end a run
            stream.reconfigure(errors="replace")
    try:
        code = invoke(list(sys.argv[1:] if arguments is None else arguments))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if callable(signal.getsignal(number)):  # done: a signal from here on needs no traceback
                signal.signal(number, signal.SIG_DFL)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except Exception as error:
        explained = _report_import(error)
        if explained is None:
            raise
        code = explained
    if sys.flags.inspect:  # PYTHONINSPECT; Python would print SystemExit as an error
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _report_import(error: Exception) -> int | None:
    """Print that a library cannot be imported, and return the exit code; ``None`` for any other error."""
    from lesson_runner.cli.imports import explain_import

    explained = explain_import(error)
    if explained is None:
        return None
    what, fix = explained
    # The module that prints may be what cannot be imported.
    shown = "".join(sign if sign.isprintable() else "?" for sign in what)
    with contextlib.suppress(OSError):
        sys.stderr.write(f"error: {shown}\nfix: {fix}\n")
    return ExitCode.FIXABLE


def _open_standard_streams() -> None:
    """
    Open /dev/null in place of standard streams that the caller closed, or opened the wrong way round.

    Otherwise the next file to be opened, such as a record, gets the number of a closed stream, and receives
    what this process and its children print.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        wrong = os.O_WRONLY if number == 0 else os.O_RDONLY
        try:
            usable = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != wrong
        except OSError:
            usable = False
        if not usable:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:  # the lowest free number, so that of the stream if it was closed
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def invoke(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    from lesson_runner.cli.output import filter_workflow_commands

    with filter_workflow_commands():
        return _invoke(arguments)


def _invoke(arguments: list[str]) -> int:
    import typer

    from lesson_runner.cli.app import build_app, load_plugins
    from lesson_runner.cli.failures import (
        is_environment_error,
        report_bug,
        report_environment_error,
        report_error,
        report_plugins,
        report_usage,
    )

    try:
        plugins = load_plugins()
        try:
            result = build_app(plugins)(args=arguments, prog_name="lesson", standalone_mode=False)
            sys.stdout.flush()
        finally:
            report_plugins(plugins)
    except LessonError as error:
        return report_error(error)
    except typer.TyperException as error:
        return report_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception as error:
        if is_environment_error(error):
            return report_environment_error(error)
        code = _report_import(error)
        return report_bug(error, arguments) if code is None else code
    return result if isinstance(result, int) else ExitCode.GOOD
