"""The hooks of ``lesson_setup``; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:  # importing these would slow down `lesson --help`
    from lesson_runner.plugins import Action, Check, Event, Evidence, PlannedStep, RunContext


@hookimpl
def lesson_directories() -> Iterable[Path]:
    """Return the folder of the lesson, which is inside the package."""
    return [Path(__file__).resolve().parent / "lessons"]


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return the actions: show the hardware, check the machine, report."""
    from lesson_setup.actions.table import ACTIONS

    return ACTIONS


@hookimpl
def lesson_checks() -> Iterable[Check]:
    """Return the checks of memory, and of what a program needs to use a board."""
    from lesson_setup import machine
    from lesson_setup.checks.table import own_checks

    return own_checks(machine.PLACES)


@hookimpl
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """Return the metrics of this plugin's steps."""
    if not step.action.startswith("setup."):
        return {}
    from lesson_setup.evidence import measure

    return measure(evidence)


@hookimpl
def lesson_step_event(event: Event, context: RunContext) -> None:
    """Remember which steps failed, for the summary at the end."""
    if event.kind == "step-finished" and event.data.get("status") in ("failed", "error"):
        from lesson_setup.summary import remember_failure

        remember_failure(event, context)
