"""The hooks of ``lesson_ct4``; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    import typer

    from lesson_runner.model.sections import Section
    from lesson_runner.plugins import (
        Action,
        ActionCall,
        Block,
        Diagnosis,
        Event,
        Evidence,
        Json,
        Lesson,
        PlannedStep,
        Rule,
        RunContext,
        StepResult,
    )


@hookimpl
def lesson_add_commands(app: typer.Typer) -> None:
    """Add ``lesson ct4``, whose commands are imported when they are used."""
    from lesson_runner.cli.commands import add_lazy_command

    add_lazy_command(
        app, "ct4", "lesson_ct4.cli:ct4", "Train and sample the lesson's model outside a lesson."
    )


@hookimpl
def lesson_directories() -> Iterable[Path]:
    """Return the folder of the ct4 lesson."""
    return [Path(__file__).resolve().parent / "lessons"]


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return the actions of the ct4 lesson."""
    from lesson_ct4.actions.table import ACTIONS

    return ACTIONS


@hookimpl
def lesson_rules() -> Iterable[Rule]:
    """Return the rules for the ct4 lesson's commands."""
    from lesson_ct4.rules import rules

    return rules()


@hookimpl
def lesson_interpret_block(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """Recognise blocks that train, generate, download the lesson's text, or show its beginning."""
    from lesson_ct4.blocks.in_lesson import interpret_in_lesson

    return interpret_in_lesson(block, lesson)


@hookimpl
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """Return the metrics of this plugin's steps."""
    from lesson_ct4.measuring.evidence import measure_action

    return measure_action(step.action, evidence)


@hookimpl
def lesson_diagnose(result: StepResult, evidence: Evidence) -> Iterable[Diagnosis]:
    """Return explanations of the result of a training or generation."""
    from lesson_ct4.diagnosis.diagnose import diagnose

    return diagnose(result, evidence)


@hookimpl
def lesson_step_event(event: Event, context: RunContext) -> None:
    """Close the device when the run ends."""
    from lesson_ct4.names import STATE

    if event.kind == "run-finished" and STATE in context.store:
        from lesson_ct4.actions.workspace_files import close_session

        close_session(context)


@hookimpl
def lesson_report_sections(record: Json, folder: Path) -> Iterable[Section]:
    """Show the stages side by side."""
    from lesson_ct4.measuring.sections import report_sections

    return report_sections(record, folder)
