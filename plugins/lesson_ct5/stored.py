"""Compute metrics and report tables from the evidence of a comparison; a damaged file gives none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from lesson_ct5.scaling import COLUMNS, Run, measure, rows, runs_from
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Json, Table

RECORD = "comparison.json"
READ_ERRORS = (OSError, ValueError, KeyError, TypeError, ArithmeticError, IndexError, RecursionError)
"""What reading an untrusted file can raise."""


def metrics(evidence: Evidence) -> Mapping[str, float]:
    """Return the metrics of a step, computed from its evidence."""
    try:
        found = measure(_runs(evidence))
    except READ_ERRORS:
        return {}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def sections(record: Json, folder: Path, action: str) -> list[Table]:
    """Return a table for each step of a run that used ``action``; ``folder`` is the run folder."""
    found = []
    for step in record.get("steps", ()):
        if step.get("action") != action:
            continue
        try:
            cells = tuple(map(tuple, rows(_runs(Evidence.of(folder, step)))))
        except READ_ERRORS:
            continue
        no_board = {"emulated", "simulator"} & set(step.get("labels", ()))
        note = "These times were not measured on a board: they say nothing about scaling." if no_board else ""
        found.append(Table(str(step.get("title") or step["id"]), COLUMNS, cells, note))
    return found


def _runs(evidence: Evidence) -> list[Run]:
    return runs_from(evidence.read_json(RECORD))
