"""How plugins call actions, what follows from the parameters, and what an action gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.document import Diagnostic, Json, Location


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    What follows from an action's parameters, found while a lesson is planned.

    Attributes:
        reads: names of what a step with these parameters reads. It needs the last earlier step that writes
            one of them.
        writes: names of what it writes.
        problem: what is wrong with parameters that are each valid, such as two that contradict each other;
            ``None`` if nothing is.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One command of a block, as the action that stands for it."""

    action: str
    params: Json
    location: Location
    source: str = ""
    """The command as the lesson prints it."""
    absorbed: tuple[str, ...] = ()
    """Lines of the block that need no action of their own (``cd``, ``export``, comments)."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What an action produced.

    Attributes:
        status: ``passed`` means the action did its work; whether the step passes is for the judge. ``error``:
            something it needed went wrong, such as a full disk, so there is nothing to judge.
        message: why it failed or was skipped.
        output: text for a person, also matched by ``contains``, ``regex``, ``lines`` and ``json``.
        exit_code: of the process, for actions that are one.
        metrics: numbers by name. ``lesson_measure`` overrides them with what the files show.
        facts: about the whole run, such as ``{"dataset": {...}}``; merged into the record.
        labels: what a reader must know wherever the result appears, such as ``emulated``.
    """

    status: Literal["passed", "failed", "skipped", "error"] = "passed"
    message: str = ""
    output: str = ""
    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    labels: tuple[str, ...] = ()
