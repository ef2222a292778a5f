"""What a comparison left among the evidence, read again; a file that is missing or damaged gives nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from lesson_ct5.scaling import COLUMNS, Run, measure, rows, runs_from
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Json, Table

RECORD = "comparison.json"
DAMAGED = (OSError, ValueError, KeyError, TypeError, ArithmeticError, IndexError, RecursionError)
"""What reading somebody else's file can raise."""


def metrics(evidence: Evidence) -> Mapping[str, float]:
    """Return :func:`lesson_ct5.scaling.measure` of a step's evidence."""
    try:
        found = measure(_runs(evidence))
    except DAMAGED:
        return {}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def sections(record: Json, folder: Path, action: str) -> list[Table]:
    """Return a table for each step of a run that was ``action``; ``folder`` is the run's."""
    found = []
    for step in record.get("steps", ()):
        if step.get("action") != action:
            continue
        try:
            cells = tuple(map(tuple, rows(_runs(Evidence.of(folder, step)))))
        except DAMAGED:
            continue
        no_board = {"emulated", "simulator"} & set(step.get("labels", ()))
        note = "No board made these times: they say nothing about scaling." if no_board else ""
        found.append(Table(str(step.get("title") or step["id"]), COLUMNS, cells, note))
    return found


def _runs(evidence: Evidence) -> list[Run]:
    return runs_from(evidence.read_json(RECORD))
