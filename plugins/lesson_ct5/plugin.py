"""The hooks of ``lesson_ct5``; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_ct5 import COMPARE
from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    import typer

    from lesson_runner.model.sections import Section
    from lesson_runner.plugins import Action, ActionCall, Block, Evidence, Json, PlannedStep


@hookimpl
def lesson_add_commands(app: typer.Typer) -> None:
    """Add ``lesson ct5 compare``."""
    from lesson_runner.cli.commands import add_lazy_command

    add_lazy_command(app, "ct5", "lesson_ct5.cli:ct5", "Training on several chips.")


@hookimpl
def lesson_directories() -> Iterable[Path]:
    """Return the folder of the ct5 lesson."""
    return [Path(__file__).resolve().parent / "lessons"]


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return the action that compares trainings."""
    from lesson_ct5.table import COMPARE_ACTION

    return [COMPARE_ACTION]


@hookimpl
def lesson_interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """Recognise blocks that only compare trainings."""
    from lesson_ct5.blocks import interpret_block

    return interpret_block(block)


@hookimpl
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """Return the metrics of a comparison, from its evidence."""
    if step.action != COMPARE:
        return {}
    from lesson_ct5.stored import metrics

    return metrics(evidence)


@hookimpl
def lesson_report_sections(record: Json, folder: Path) -> Iterable[Section]:
    """Show each comparison as a table."""
    from lesson_ct5.stored import sections

    return sections(record, folder, COMPARE)
