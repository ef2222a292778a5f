"""What a comparison left among the evidence, read again; a file that is missing or damaged gives nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from lesson_ct5.scaling import COLUMNS, Run, measure, rows, runs_from
from lesson_runner.model import Json, Section
from lesson_runner.resources import MAX_JSON_BYTES, read_text

RECORD = "comparison.json"
DAMAGED = (OSError, ValueError, KeyError, TypeError, ArithmeticError, IndexError, RecursionError)
"""What reading somebody else's file can raise."""


def metrics(folder: Path) -> Mapping[str, float]:
    """Return :func:`lesson_ct5.scaling.measure` of a step's evidence."""
    try:
        found = measure(_runs(folder))
    except DAMAGED:
        return {}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def sections(record: Json, folder: Path, action: str) -> list[Section]:
    """Return a table for each step of a run that was ``action``; ``folder`` is the run's."""
    found = []
    for step in record.get("steps", ()):
        if step.get("action") != action:
            continue
        try:
            data = {"columns": list(COLUMNS), "rows": rows(_runs(folder / "evidence" / str(step["id"])))}
        except DAMAGED:
            continue
        no_board = {"emulated", "simulator"} & set(step.get("labels", ()))
        note = "No board made these times: they say nothing about scaling." if no_board else ""
        found.append(Section(str(step.get("title") or step["id"]), "table", data, note))
    return found


def _runs(folder: Path) -> list[Run]:
    return runs_from(json.loads(read_text(folder / RECORD, MAX_JSON_BYTES)))
