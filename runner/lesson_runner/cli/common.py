"""What several commands share: their options, and opening a lesson."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from lesson_runner.plugins.manager import Plugins

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Diagnostic, Lesson, NotRun

PIPED_WIDTH = 110
"""Columns of output that goes into a file or a pipe; the 80 that rich assumes squeeze the tables."""

LessonArgument = Annotated[
    str, typer.Argument(metavar="LESSON", help="A lesson's id, or the path of a .md file.")
]


def _divert(context: typer.Context, wanted: bool) -> bool:
    """Let the JSON be all that standard output gets, whatever plugins print, and wherever they are called."""
    if wanted:
        _diverted.append(context.with_resource(ExitStack()))
        _diverted[-1].enter_context(stdout_to_stderr())
    return wanted


_diverted: list[ExitStack] = []
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for a program, and nothing else.", callback=_divert)
]
ProfileOption = Annotated[
    str | None,
    typer.Option(help="One of the lesson's profiles; without it, the lesson's default for this machine."),
]
BackendOption = Annotated[
    str, typer.Option(help="auto: ttml if there is a board; ttml: only that; emulated: ttml on PyTorch.")
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="Set a parameter, or STEP.NAME=VALUE for one step."),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        envvar="LESSON_WORKSPACE", help="The folder for everything a lesson writes; without it, .lesson."
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="PERMISSIONS",
        help="What the lesson may do without asking: shell, network, read (files it names elsewhere).",
    ),
]
EnvOption = Annotated[
    list[str] | None,
    typer.Option(
        "--env", metavar="NAME", help="Give commands this variable although it looks like a credential."
    ),
]
SandboxOption = Annotated[
    bool,
    typer.Option(
        "--sandbox", help="Shut commands in: nothing writable but the workspace, no network (bubblewrap)."
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", metavar="POLICY", help="board, simulator, emulated, or a .yaml file of your own."
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="NAME", help="The key to sign with; your only one needs no name."),
]


def workspace_folder(workspace: Path | None) -> Path:
    """
    Return the workspace that was named, with ``~`` replaced by the home folder, or the usual one.

    Raises:
        LessonError: it names the home of a user that does not exist; or nobody named it, and it is a link, or
            another user's.
    """
    from lesson_runner.model.errors import LessonError

    if workspace is None:
        from lesson_runner.plugins.context import default_workspace

        return default_workspace()
    try:
        return workspace.expanduser()
    except RuntimeError:
        raise LessonError(f"--workspace {workspace}: there is no such user", fix="name a folder") from None


def print_json(data: Any) -> None:
    """Print ``data`` as JSON to standard output; with ``--json``, that is the last thing a command does."""
    from lesson_runner.report.text import json_text
    from lesson_runner.run.record import plain

    while _diverted:
        _diverted.pop().close()
    sys.stdout.write(json_text(plain(data)) + "\n")


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """
    Send to standard error what plugins, or libraries they use, print to standard output.

    Works on the file descriptor as well: drivers log from C++.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # it is closed
        kept = None
    try:
        if kept is not None:
            os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def make_console() -> Console:
    """
    Return the console for people; honours ``NO_COLOR``, plain lines where it is not a terminal.

    A text that is printed on it stays one line. What has several is a :class:`rich.console.Group`.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    from lesson_runner.cli.output import BestEffortStream
    from lesson_runner.report.tables import one_line
    from lesson_runner.report.text import safe

    class Safe(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            """Print texts as lines, which nothing but the terminal itself wraps."""
            if objects and all(isinstance(item, str | Text) for item in objects):
                objects = tuple(map(one_line, objects))
                options.setdefault("soft_wrap", True)
            super().print(*objects, **options)

        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            """Let nothing through that a terminal would obey, whoever forgot to look."""
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=safe(segment.text))

    options: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False}
    if sys.stdout is not None:
        options["file"] = BestEffortStream(sys.stdout)
    console = Safe(**options)
    return console if console.is_terminal else Safe(width=PIPED_WIDTH, **options)


def is_interactive(*, json: bool = False, piped: bool = False) -> bool:
    """
    Return True if a person is at the terminal and can answer.

    Args:
        json: a program reads what is printed.
        piped: what is printed may go through a pipe, such as into ``tee``.
    """
    return not json and _is_terminal(sys.stdin) and (piped or _is_terminal(sys.stdout))


def _is_terminal(stream: TextIO | None) -> bool:
    """Return True for a terminal; ``None`` is a stream that was closed before Python started."""
    return stream is not None and not stream.closed and stream.isatty()


def check_can_pause(*, step: bool, interactive: bool) -> None:
    """
    Refuse ``--step`` if nobody can press Enter.

    Raises:
        LessonError: ``step`` is set, and nobody is at the terminal.
    """
    from lesson_runner.model.errors import LessonError

    if step and not interactive:
        raise LessonError("--step waits for a person", fix="use a terminal, and leave out --json")


def ask(question: str) -> bool:
    """
    Ask the person at the terminal a yes-or-no question; see :func:`is_interactive`.

    Raises:
        KeyboardInterrupt: they pressed Ctrl-C.
    """
    from lesson_runner.report.text import line

    try:
        return typer.confirm(line(question))
    except typer.Abort:
        raise KeyboardInterrupt from None


def confirm(question: str) -> bool:
    """
    Return True if a person is at the terminal and answers a question with yes.

    Raises:
        KeyboardInterrupt: they pressed Ctrl-C.
    """
    return is_interactive(piped=True) and ask(question)


def note(text: str) -> None:
    """Print a line to standard error: it is not part of what a command answers."""
    from lesson_runner.cli.output import say

    say(text, err=True)


def open_lesson(name: str, plugins: Plugins) -> tuple[Lesson, list[Diagnostic], bool]:
    """
    Return a lesson, what is wrong with it, and whether it came with a plugin.

    Raises:
        LessonError: there is none of that name, or it cannot be read.
    """
    from lesson_runner.document.lessons import load_lesson
    from lesson_runner.plugins.catalog import find

    path, installed = find(name, plugins)
    lesson, problems = load_lesson(path)
    return lesson, problems, installed


def open_valid_lesson(name: str, plugins: Plugins) -> tuple[Lesson, list[Diagnostic], bool]:
    """
    Return what :func:`open_lesson` does.

    Raises:
        InvalidLessonError: the lesson has errors.
    """
    from lesson_runner.model import first_error
    from lesson_runner.model.errors import InvalidLessonError

    lesson, problems, installed = open_lesson(name, plugins)
    if first_error(problems):
        raise InvalidLessonError(problems)
    return lesson, problems, installed


def describe_block(item: NotRun) -> str:
    """Return which block is not run, and why."""
    reason = f": {item.reason}" if item.reason else ""
    return f"the {item.block.language} block at line {item.block.location.line}{reason}"
