"""How plugins call actions, what an action's parameters imply, and what an action returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.document import Diagnostic, Json, Location


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    What an action's parameters imply, found while a lesson is planned.

    Attributes:
        reads: names of what a step with these parameters reads, such as ``greeting`` or a file's path. The
            step needs the last earlier step that writes one of them.
        writes: names of what the step writes; compared with other steps' ``reads``.
        problem: why parameters that are each valid do not fit together, as a sentence for the lesson's
            author; ``None`` if they do.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One command of a block, translated into a call of an action."""

    action: str
    """The action's name, such as ``my_lessons.greet``."""
    params: Json
    """Only the parameters that the command sets, by name; defaults and other layers are added later."""
    location: Location
    """Where the command begins in the lesson."""
    source: str = ""
    """The command as the lesson prints it."""
    absorbed: tuple[str, ...] = ()
    """Lines of the block that need no action of their own (``cd``, ``export``, comments)."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with the command, such as an unknown flag. An error stops ``lesson run``."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines in the middle of an output that were not kept, because there were too many."""

    lines: int
    """How many were not kept."""
    after: int
    """The number of kept lines before them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What an action produced.

    Attributes:
        status: ``passed`` means that the action did its work; the step's expectations then decide whether
            the step passes. ``failed`` is judged as well. ``error`` means that something the action needs
            is broken, such as a full disk, so there is nothing to judge. ``skipped`` is not judged either.
        message: why it failed or was skipped, in one line; empty if it passed.
        output: the text that ``contains``, ``regex``, ``lines``, ``json`` and ``capture`` read: what was
            printed, and nothing else. Empty means everything that was passed to ``context.say``.
        exit_code: the exit code of the process, if the action ran one. ``None`` means that there was none;
            any other value must be 0 unless the step expects another.
        metrics: numbers by name, such as ``{"loss": 1.5}``. Those from ``lesson_measure`` override them.
        facts: facts about the whole run, such as ``{"dataset": {...}}``; merged into the record.
        labels: what readers must know wherever the result is shown, such as ``emulated``.
        stdout: what was printed to standard output alone, which is what ``json`` reads. ``None`` means
            ``output``.
        gaps: lines that are missing in ``output`` or ``stdout``, by that name; empty if there are none.
    """

    status: Literal["passed", "failed", "skipped", "error"] = "passed"
    message: str = ""
    output: str = ""
    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    stdout: str | None = None
    gaps: Mapping[str, Gap] = field(default_factory=dict)
