"""
The command line: ``lesson``.

The modules of this package read arguments, call the library and print. A command imports everything else
inside its function, so that ``lesson --help`` stays fast.
"""

from __future__ import annotations

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
    sys.exit(code)


def _open_standard_streams() -> None:
    """
    Open /dev/null in place of standard streams that the caller closed.

    Otherwise the next file to be opened, such as a record, gets the number of the stream, and receives what
    this process and its children print.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # the streams are opened in order, so this is the lowest free number
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
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
    except BrokenPipeError:
        # The reader (head, less) is gone. Keep Python from flushing the stream at exit.
        sys.stdout = None
        return ExitCode.GOOD
    except Exception as error:
        return (
            report_environment_error(error) if is_environment_error(error) else report_bug(error, arguments)
        )
    return result if isinstance(result, int) else ExitCode.GOOD
