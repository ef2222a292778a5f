"""
The hooks a plugin can implement, in the order of a run.

Hooks return values and do not change their arguments. An implementation may accept fewer arguments than its
specification. If one raises, the command names the plugin, and keeps the results of other plugins.
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
        Need,
        PlannedStep,
        Rule,
        Section,
        StepResult,
    )
    from lesson_runner.plugins.action import Action
    from lesson_runner.plugins.checks import Check
    from lesson_runner.plugins.context import RunContext
    from lesson_runner.roles.rule import BlockRule

hookspec = pluggy.HookspecMarker("lesson_runner")


@hookspec
def lesson_add_commands(app: typer.Typer) -> None:
    """
    Add commands to ``lesson``; called once, before the command line is parsed.

    Use ``app.add_typer`` with a name of your own. This is the one hook that changes its argument.
    """


@hookspec
def lesson_directories() -> Iterable[Path]:
    """Return the lessons of this plugin: files, or folders of ``<id>.md``."""


@hookspec
def lesson_actions() -> Iterable[Action]:
    """Return the actions that ``uses:`` can name. A name that another plugin has already is an error."""


@hookspec
def lesson_detect_hardware(thorough: bool) -> Iterable[Hardware]:
    """
    Return the hardware of this machine, and how it was detected; called once a run, must not hang.

    ``thorough`` is true for ``lesson hw``, which shows all details; a run must start quickly.
    """


@hookspec
def lesson_checks() -> Iterable[Check]:
    """
    Return the checks for ``lesson doctor``; steps can run the same checks (``Action.checks``).

    A check changes nothing. Run code that can crash or hang in a separate process
    (:meth:`lesson_runner.plugins.checks.Machine.run`).
    """


@hookspec
def lesson_rules() -> Iterable[Rule]:
    """
    Return the rules this plugin adds to ``lesson validate``.

    A rule's id begins with the plugin's name and a dot, such as ``tenstorrent.metal-versions``.
    """


@hookspec
def lesson_block_rules() -> Iterable[BlockRule]:
    """
    Return rules that recognise what blocks and ``command:`` links of lessons without directives are.

    They speak before the built-in rules. A rule's name begins with the plugin's name and a dot.
    """


@hookspec
def lesson_interpret_block(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """
    Return one action call for each command of a block, or ``None`` if the plugin does not know the block.

    Called while planning; the first result that is not ``None`` is used. Report wrong flags as diagnostics of
    the call instead of raising.
    """


@hookspec
def lesson_needs(block: Block, lesson: Lesson) -> Iterable[Need]:
    """
    Return what a block needs from the machine that only this plugin knows, such as a board.

    Called while planning, for blocks that a step may run: the programs, modules, files and hosts that a block
    names are found without plugins. Must be pure.
    """


@hookspec
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """
    Return numbers by name, from the step's stored files and nothing else.

    Must be pure: it is called when the step is judged, and each time somebody judges the record again.
    """


@hookspec
def lesson_diagnose(result: StepResult, evidence: Evidence) -> Iterable[Diagnosis]:
    """
    Return explanations of a step's result: why it failed, or what is wrong although it passed.

    Called once for every step that ran, after it was judged. Must be pure, like ``lesson_measure``.
    """


@hookspec
def lesson_step_event(event: Event, context: RunContext) -> None:
    """Observe the events of a run: steps that start and finish, output, progress."""


@hookspec
def lesson_report_sections(record: Json, folder: Path) -> Iterable[Section]:
    """Return sections for the report of a run; ``folder`` is the run folder."""
