"""The options of a run: the flags of ``lesson run`` as one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    selection: Selection = field(default_factory=Selection)
    """Which steps to run."""
    fresh: bool = False
    """Reuse nothing from an earlier run."""
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


def check_backend(name: str) -> str:
    """
    Return ``name`` if it is a backend.

    Raises:
        LessonError: it is not.
    """
    if name not in ("auto", "ttml", "emulated"):
        raise LessonError(f"--backend {name}: expected auto, ttml or emulated")
    return name
