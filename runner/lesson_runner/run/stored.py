"""Read and check what a run stored: its record, and the sections that plugins compute from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.model import Line, Location, Section, Series, Table
from lesson_runner.model.errors import LessonError
from lesson_runner.run import record


def read_run(folder: Path) -> dict[str, Any]:
    """
    Return the record of a finished run, checked against its schema.

    Raises:
        LessonError: the run is unfinished, or its record is damaged.
    """
    return _checked(folder, record.read)


def read_any(folder: Path) -> dict[str, Any]:
    """
    Return the record of a run, finished or not, checked against its schema.

    Raises:
        LessonError: the record is missing or damaged.
    """
    return _checked(folder, record.read_any)


def _checked(folder: Path, read: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    from lesson_runner.document.schema.validator import KeyPath, first_error, load_schema

    path = folder / record.RECORD
    data = read(folder)
    place: dict[KeyPath, Location] = {(): Location(path, 1)}
    wrong = first_error(data, load_schema("record"), place, what=record.RECORD)
    if wrong is not None:
        raise LessonError(
            f"{path}: it does not follow the schema: {wrong.message[:LONGEST]}",
            fix=record.DAMAGED,
        )
    ids = [PurePosixPath(step["id"]) for step in data["steps"]]
    if len(set(ids)) < len(ids) or len(ids) > MOST_STEPS:
        what = f"more than {MOST_STEPS:,} steps" if len(ids) > MOST_STEPS else "two steps with the same id"
        raise LessonError(f"{path}: it has {what}", fix=record.DAMAGED)
    return data


LONGEST = 500
"""Characters shown of a schema error, which may quote the record."""
MOST_STEPS = 10_000
"""The most steps in a record; rendering a page of this many takes seconds."""


OVERVIEW: Mapping[str, tuple[type, ...]] = {
    "status": (str,),
    "profile": (str,),
    "labels": (list,),
    "started": (str,),
    "seconds": (int, float),
    "hardware": (list,),
}
"""The fields that a list of runs shows, with their types."""


def read_overview(folder: Path) -> dict[str, Any]:
    """
    Return the fields of a run that a list shows: :data:`OVERVIEW`, and ``lesson``, the lesson's id.

    Of the hardware these are the names.

    Only these are checked: checking a record against the schema takes ten times as long as reading it, and a
    workspace may have thousands of runs.

    Raises:
        LessonError: the run is unfinished, or its record is damaged.
    """
    try:
        data: dict[str, Any] = record.read(folder)
        found = {name: data[name] for name in OVERVIEW}
        found["hardware"] = [item["name"] for item in found["hardware"]]
        lesson = data["lesson"]["id"]
    except (KeyError, TypeError):
        found, lesson = {}, None
    fits = isinstance(lesson, str) and all(isinstance(found[name], kind) for name, kind in OVERVIEW.items())
    if not fits or not all(isinstance(item, str) for item in [*found["labels"], *found["hardware"]]):
        raise LessonError(
            f"{folder / record.RECORD}: it does not follow the schema", fix="'lesson report' says where"
        )
    return {**found, "lesson": lesson}


def without_secrets(sections: Iterable[Section], redactor: Redactor) -> list[Section]:
    """
    Redact the secrets in sections.

    In a table, a number that is a secret becomes an empty cell; in a chart, its point or stage is left out.
    """
    return [_without_secrets(section, redactor) for section in sections]


def _without_secrets(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)

    def number(item: Any) -> Any:
        return item if isinstance(item, str) else redactor.data(item)

    if isinstance(value, Table):
        value = replace(value, rows=tuple(tuple(map(number, row)) for row in value.rows))
    if isinstance(value, Line):
        value = replace(value, points=tuple(item for item in value.points if None not in map(number, item)))
    if isinstance(value, Series):
        value = replace(value, stages=tuple(item for item in value.stages if number(item[0]) is not None))
    if isinstance(value, tuple):
        return tuple(_without_secrets(item, redactor) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {item.name: _without_secrets(getattr(value, item.name), redactor) for item in fields(value)}
        return replace(value, **changed)
    return value
