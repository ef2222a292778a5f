"""The action ``ct5.compare``."""

from __future__ import annotations

import json

from lesson_ct4.actions.workspace_files import dataset_labels, find_checkpoint
from lesson_ct5.comparison import collect
from lesson_ct5.scaling import COLUMNS, Run, rows, runs_from
from lesson_ct5.stored import RECORD
from lesson_runner.files.plain import write_aside
from lesson_runner.model import Json, Outcome
from lesson_runner.plugins.context import StepContext

NO_BOARD = {
    "emulated": "Emulated chips share this machine's processor and take turns: these times say nothing about "
    "scaling.",
    "simulator": "A simulator's times are those of a program: they say nothing about scaling.",
}
"""Note on times that were not measured on a board, by the session's kind, which is also their label."""


def compare(params: Json, context: StepContext) -> Outcome:
    """
    Compare trainings on different numbers of chips; print a table, and store its data as evidence.

    Raises:
        LessonError: a checkpoint is missing or damaged, or the trainings cannot be compared.
    """
    comparison = collect([find_checkpoint(context, name) for name in params["checkpoints"]])
    write_aside(context.evidence / RECORD, json.dumps(comparison, indent=1) + "\n")
    session = comparison["session"]
    kind = str(session.get("kind", ""))
    context.say(table(runs_from(comparison)))
    if kind in NO_BOARD:
        context.say(f"\n{NO_BOARD[kind]}")
    return Outcome(facts={"backend": session}, labels=labels_of(comparison))


def labels_of(comparison: Json) -> tuple[str, ...]:
    """Return the labels of a comparison's results."""
    kind = str(comparison["session"].get("kind", ""))
    made = (kind,) if kind in NO_BOARD else ()
    return (*made, *dataset_labels(str(comparison["dataset"].get("sha256", ""))))


def table(runs: list[Run]) -> str:
    """Return a comparison as aligned columns."""
    lines = [list(COLUMNS), *rows(runs)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
