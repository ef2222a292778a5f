"""How a lesson is run: what the flags of ``lesson run`` say, as one record."""

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


def print_nothing(_text: str) -> None:
    """Drop a note: nobody reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a lesson is run."""

    hardware: tuple[Hardware, ...]
    """What this machine has."""
    workspace: Workspace = field(default_factory=lambda: Workspace(DEFAULT_WORKSPACE))
    profile: str | None = None
    """One of the lesson's profiles; ``None``: its default for this machine."""
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
    """Variables that commands get although they look like credentials."""
    sandbox: Sandbox | None = None
    """What commands run in; ``None``: as this user, with all that they may do."""
    ask: Callable[[str], bool] | None = None
    """Puts a yes-or-no question to the person at the terminal; ``None`` if nobody can answer."""
    note: Callable[[str], None] = print_nothing
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
