"""The options of a run: the flags of ``lesson run`` as one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.execute.inputs import is_broad_folder
from lesson_runner.files.plain import real
from lesson_runner.model import Hardware
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import DEFAULT_WORKSPACE, Workspace
from lesson_runner.run.params import Param
from lesson_runner.run.selection import Selection

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox


def discard_note(_text: str) -> None:
    """Discard a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run."""

    hardware: tuple[Hardware, ...]
    """The hardware of this machine."""
    workspace: Workspace = field(default_factory=lambda: Workspace(DEFAULT_WORKSPACE))
    profile: str | None = None
    """One of the lesson's profiles; ``None``: the default for this machine."""
    backend: str = "auto"
    """``auto``, ``ttml`` or ``emulated``."""
    params: tuple[Param, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    """The chosen option of each group of alternatives (``--choose``)."""
    selection: Selection = field(default_factory=Selection)
    """Which steps to run."""
    place: Path | None = None
    """The folder of the user's to work in (``--in``), absolute; ``None``: the run's own."""
    continues: str | None = None
    """The run to continue (``--continue``); ``None``: the last one if the first step is left out."""
    fresh: bool = False
    """Do not reuse cached downloads and trainings."""
    allowed: frozenset[str] = frozenset()
    """The permissions that ``--allow`` gives."""
    passed: frozenset[str] = frozenset()
    """Environment variables that commands get although they look like credentials (``--env``)."""
    sandbox: Sandbox | None = None
    """The sandbox for commands; ``None``: they run with all rights of this user."""
    ask: Callable[[str], bool] | None = None
    """Asks the user a yes-or-no question; ``None`` if nobody can answer."""
    note: Callable[[str], None] = discard_note
    """Shows a line that is not part of the result."""


def check_place(place: Path | None, workspace: Workspace, *, sandboxed: bool) -> Path | None:
    """
    Return the absolute path of the folder that ``--in`` names.

    Raises:
        LessonError: it does not exist, it holds records and files of runs, or a sandbox would open this
            user's home folder for writing.
    """
    if place is None:
        return None
    try:
        folder = real(place.expanduser())
        found = folder.is_dir()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise LessonError(f"--in {place}: there is no such folder", fix="create it, or name another folder")
    if folder == real(workspace.root) or folder.is_relative_to(real(workspace.runs)):
        raise LessonError(
            f"--in {place}: the folder is for the records and files of runs",
            fix="to continue in the files of a run: --continue RUN; else name a folder of yours",
        )
    if sandboxed and is_broad_folder(folder):
        raise LessonError(
            f"--in {place}: commands in a sandbox could change everything in {folder}",
            fix="name a folder that holds only this lesson's files, or leave out --sandbox",
        )
    return folder


def check_backend(name: str) -> str:
    """
    Return ``name`` if it is a backend.

    Raises:
        LessonError: it is not.
    """
    if name not in ("auto", "ttml", "emulated"):
        raise LessonError(f"--backend {name}: expected auto, ttml or emulated")
    return name
