"""
The hooks a plugin can implement, in the order of a run.

Hooks return values; they change nothing they are given. An implementation may accept fewer arguments
than its specification. One that raises is reported, and everyone else's results are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from lesson_runner.files.evidence import Evidence
    from lesson_runner.model import (
        ActionCall,
        Block,
        Diagnosis,
        Event,
        Hardware,
        Json,
        Lesson,
        PlannedStep,
        Rule,
        Section,
        StepResult,
    )
    from lesson_runner.plugins.action import Action
    from lesson_runner.plugins.checks import Check
    from lesson_runner.plugins.context import RunContext

hookspec = pluggy.HookspecMarker("lesson_runner")


@hookspec
def lesson_add_commands(app: typer.Typer) -> None:
    """
    Add commands to ``lesson``; called once, before the command line is parsed.

    Use ``app.add_typer`` with a name of your own. This is the one hook that changes its argument.
    """


@hookspec
def lesson_directories() -> Iterable[Path]:
    """Return the lessons this plugin brings: files, or folders of ``<id>.md``."""


@hookspec
def lesson_actions() -> Iterable[Action]:
    """Return the actions that ``uses:`` can name. Two plugins with one name are an error."""


@hookspec
def lesson_detect_hardware(thorough: bool) -> Iterable[Hardware]:
    """
    Return what is in this machine, and how it was found out; called once a run, must not hang.

    ``thorough`` is true for ``lesson hw``, which wants all that can be found out; a run has to begin quickly.
    """


@hookspec
def lesson_checks() -> Iterable[Check]:
    """
    Return what ``lesson doctor`` looks at; a step of a lesson may run the same checks (``Action.checks``).

    A check looks and changes nothing. It must not import what can crash or hang: that belongs in a process of
    its own (:meth:`lesson_runner.plugins.checks.Machine.run`).
    """


@hookspec
def lesson_rules() -> Iterable[Rule]:
    """
    Return the rules this plugin adds to ``lesson validate``.

    A rule's id begins with the plugin's name and a dot, such as ``tenstorrent.metal-versions``.
    """


@hookspec
def lesson_interpret_block(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """
    Return the action calls a block stands for, one a command, or ``None`` if it is not yours.

    Called while planning; the first answer that is not ``None`` counts. Report bad flags as diagnostics of
    the call; do not raise for them.
    """


@hookspec
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """
    Return numbers by name, from the step's stored files and nothing else.

    Must be pure: it is called when the step is judged, and again by whoever re-checks the record.
    """


@hookspec
def lesson_diagnose(result: StepResult, evidence: Evidence) -> Iterable[Diagnosis]:
    """
    Return what is behind a step's result: why it failed, or what is wrong although it passed.

    Called once for every step that ran, after it was judged. Must be pure, as ``lesson_measure``.
    """


@hookspec
def lesson_step_event(event: Event, context: RunContext) -> None:
    """Hear of everything that happens in a run: steps starting, progress, output, steps finishing."""


@hookspec
def lesson_report_sections(record: Json, folder: Path) -> Iterable[Section]:
    """Return what a report on this run should show, as data; ``folder`` is the run's."""
