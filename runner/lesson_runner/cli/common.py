"""Shared by several commands: options, output, prompts, and opening a lesson."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from lesson_runner.plugins.manager import Plugins

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Diagnostic, Lesson, NotRun, Plan
    from lesson_runner.run.options import RunOptions

PIPED_WIDTH = 110
"""Columns of output to a file or a pipe; rich assumes 80, which is too narrow for the tables."""

LessonArgument = Annotated[
    str, typer.Argument(metavar="LESSON", help="A lesson's id, or the path of its .md file.")
]


def _redirect(context: typer.Context, wanted: bool) -> bool:
    """Send everything else that is printed to standard error until :func:`print_json` prints the JSON."""
    if wanted:
        _redirections.append(context.with_resource(ExitStack()))
        _redirections[-1].enter_context(stdout_to_stderr())
        _plugins[:] = [context.obj]
    return wanted


_redirections: list[ExitStack] = []
_plugins: list[Plugins] = []
"""The plugins of the command that answers in JSON."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.", callback=_redirect)]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Profile of the lesson. Default: the one the lesson sets for this machine."
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="auto, ttml or emulated (ttml on PyTorch); auto uses ttml if there is a board."
    ),
]
OverlayOption = Annotated[
    Path | None,
    typer.Option(
        "--overlay",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Folder with sidecars: directives for lessons that are not edited, in NAME.steps.yaml.",
    ),
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="Set a parameter of the steps; STEP.NAME=VALUE sets it for one step.",
    ),
]
ChooseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--choose",
        metavar="GROUP=OPTION",
        help="Run this way of several that the lesson offers; 'lesson plan' lists them.",
    ),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        envvar="LESSON_WORKSPACE",
        help="Folder for everything that a run writes. Default: .lesson.",
    ),
]


def _place(text: str) -> Path:
    """Return the folder that ``--in`` names; an empty name, as of an unset variable, names none."""
    if not text:
        message = "the name of the folder is empty"
        raise typer.BadParameter(message)
    return Path(text)


PlaceOption = Annotated[
    Path | None,
    typer.Option(
        "--in",
        metavar="DIR",
        parser=_place,
        help="Work in this folder of yours. Default: a new folder for each run.",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="PERMISSIONS",
        help="Grant permissions without a prompt: shell, network, read (files outside the lesson's folder), "
        "system (steps that change the machine).",
    ),
]
EnvOption = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help="Pass this environment variable to commands although it looks like a credential.",
    ),
]
SandboxOption = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Run commands in a sandbox (bubblewrap): only the run's files are writable, no network.",
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy",
        metavar="POLICY",
        help="Policy to meet: board, simulator, emulated, or your own .yaml file.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="NAME", help="Key to sign with; needed only if you have several."),
]


def workspace_folder(workspace: Path | None) -> Path:
    """
    Return the workspace given by the user, with ``~`` expanded, or the default workspace.

    Raises:
        LessonError: the path names a user that does not exist; or the default workspace is a link, or belongs
            to another user.
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
    """
    Print ``data`` as JSON to standard output; the last thing that a command does with ``--json``.

    An object that does not list the plugins gets the key ``plugin_errors`` if a plugin went wrong.
    """
    from lesson_runner.report.text import json_text
    from lesson_runner.run.record import plain

    errors = [str(error) for plugins in _plugins for error in plugins.errors.values()]
    if errors and isinstance(data, Mapping) and "plugins" not in data:
        from lesson_runner.execute.environment import redactor_for

        data = {**data, "plugin_errors": list(map(redactor_for().text, errors))}
    while _redirections:
        _redirections.pop().close()
    sys.stdout.write(json_text(plain(data)) + "\n")


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """
    Redirect standard output to standard error, where the prints of plugins and their libraries belong.

    The file descriptor is redirected too, because drivers log from C++.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # standard output is closed
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
    Return the console for people; it honours ``NO_COLOR`` and prints plain lines where there is no terminal.

    A text printed on it stays one line. Print several lines as a :class:`rich.console.Group`.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    from lesson_runner.cli.output import BestEffortStream
    from lesson_runner.report.tables import one_line
    from lesson_runner.report.text import safe

    class Safe(Console):
        def print(self, *objects: Any, **options: Any) -> None:
            """Print texts as lines that only the terminal itself wraps."""
            if objects and all(isinstance(item, str | Text) for item in objects):
                objects = tuple(map(one_line, objects))
                options.setdefault("soft_wrap", True)
            super().print(*objects, **options)

        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterator[Segment]:
            """Remove terminal escapes from every segment, in case a caller forgot to."""
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
        json: a program reads the output.
        piped: accept output that goes through a pipe, such as into ``tee``.
    """
    return not json and _is_terminal(sys.stdin) and (piped or _is_terminal(sys.stdout))


def _is_terminal(stream: TextIO | None) -> bool:
    """Return True for a terminal; a stream that was closed before Python started is ``None``."""
    return stream is not None and not stream.closed and stream.isatty()


def check_can_pause(*, step: bool, interactive: bool) -> None:
    """
    Refuse ``--step`` if nobody can press Enter.

    Raises:
        LessonError: ``step`` is set and nobody is at the terminal.
    """
    from lesson_runner.model.errors import LessonError

    if step and not interactive:
        raise LessonError("--step needs a person at a terminal", fix="run it in a terminal, without --json")


def ask(question: str) -> bool:
    """
    Ask the user a yes-or-no question; call it only if :func:`is_interactive`.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    from lesson_runner.report.text import line

    try:
        return typer.confirm(line(question))
    except typer.Abort:
        raise KeyboardInterrupt from None


def confirm(question: str) -> bool:
    """
    Return True if a person is at the terminal and answers yes.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    return is_interactive(piped=True) and ask(question)


def note(text: str) -> None:
    """Print a line to standard error, because it is not part of the command's answer."""
    from lesson_runner.cli.output import say

    say(text, err=True)


def open_lesson(
    name: str, plugins: Plugins, overlay: Path | None = None
) -> tuple[Lesson, list[Diagnostic], bool]:
    """
    Return a lesson, its diagnostics, and whether a plugin provides it.

    Args:
        overlay: the folder of the lesson's sidecar; ``None``: the lesson's own folder.

    Raises:
        LessonError: there is no such lesson, it cannot be read, or the overlay has no sidecar for it.
        InvalidLessonError: it or its sidecar is not text.
    """
    from lesson_runner.document.lessons import load_lesson
    from lesson_runner.document.sidecar import sidecar_path
    from lesson_runner.model.errors import LessonError
    from lesson_runner.plugins.catalog import find

    path, installed = find(name, plugins)
    if overlay is not None and not os.path.lexists(wanted := sidecar_path(path, overlay)):
        fix = f"write it: lesson annotate {name} --sidecar --overlay {overlay} --write"
        raise LessonError(f"--overlay {overlay}: there is no {wanted.name} in this folder", fix=fix)
    lesson, problems = load_lesson(path, overlay)
    # What stands beside an installed lesson came with it; what the user names did not.
    return lesson, problems, installed and overlay is None


def open_valid_lesson(
    name: str, plugins: Plugins, overlay: Path | None = None
) -> tuple[Lesson, list[Diagnostic], bool]:
    """
    Return the same as :func:`open_lesson`, for a lesson without errors.

    Raises:
        InvalidLessonError: the lesson has errors.
    """
    from lesson_runner.model import first_error
    from lesson_runner.model.errors import InvalidLessonError

    lesson, problems, installed = open_lesson(name, plugins, overlay)
    if first_error(problems):
        raise InvalidLessonError(problems)
    return lesson, problems, installed


def plan_to_run(
    lesson: Lesson, problems: Iterable[Diagnostic], plugins: Plugins, options: RunOptions
) -> Plan:
    """
    Return the plan of a lesson for which ``lesson validate`` finds no error, apart from other profiles.

    Raises:
        InvalidLessonError: the lesson or the settings have errors.
        LessonError: the backend, the profile or a parameter does not exist.
    """
    from lesson_runner.model.errors import InvalidLessonError
    from lesson_runner.run.prepare import plan_run
    from lesson_runner.validate.check import errors_before_run

    plan = plan_run(lesson, problems, plugins, options)
    if errors := errors_before_run(plan, plugins):
        raise InvalidLessonError(errors)
    return plan


def describe_block(item: NotRun) -> str:
    """Describe a block that is not run, with the reason."""
    reason = f": {item.reason}" if item.reason else ""
    language = f"{item.block.language} block" if item.block.language else "block without a language"
    return f"the {language} at line {item.block.location.line}{reason}"
