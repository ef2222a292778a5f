"""What a run has left, read again and checked: its record, and what plugins make of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lesson_runner.errors import LessonError
from lesson_runner.model import Location, Section
from lesson_runner.run import record


def read_run(folder: Path) -> dict[str, Any]:
    """
    Return the record of a run, checked against its schema.

    Raises:
        LessonError: the run did not finish, or its record is damaged.
    """
    from lesson_runner.schema.validator import KeyPath, check, load_schema

    path = folder / record.RECORD
    try:
        data: dict[str, Any] = record.plain(record.read(folder))
    except RecursionError:
        raise LessonError(f"{path}: it is nested too deeply to be a record") from None
    place: dict[KeyPath, Location] = {(): Location(path, 1)}
    # Keys that a later version adds do no harm.
    problems = check(data, load_schema("record"), place, what=record.RECORD, unknown_key="warning")
    wrong = next((problem for problem in problems if problem.severity == "error"), None)
    if wrong is not None:
        raise LessonError(
            f"{path}: it does not follow the schema: {wrong.message}",
            fix="it was changed or damaged: take the run's own, or run the lesson again",
        )
    return data


def plain_sections(sections: Iterable[Section]) -> list[Section]:
    """Return sections whose data is JSON, whatever plugins have put into them."""
    return [
        Section(str(item.title), item.kind, record.plain(item.data), str(item.note), str(item.conclusion))
        for item in sections
    ]
