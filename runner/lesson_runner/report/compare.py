"""Runs beside each other: parameters that differ, what came of them, curves and texts. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lesson_runner.model import Section

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What the runs are called beside each other; their names are too long for a table."""
ABSENT = "-"
"""Stands where a run has no such parameter or number."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same in all runs."""

    steps: tuple[str, ...]
    """The ids of the steps; empty for something of the whole run."""
    name: str
    values: tuple[Any, ...]
    """One for each run; :data:`ABSENT` where it has none."""


def name_runs(records: Sequence[Record]) -> dict[str, Record]:
    """Return the runs by the letters that stand for them, in their order."""
    return dict(zip(LETTERS, records, strict=False))


def of_runs(records: Sequence[Record]) -> list[Difference]:
    """Return what is different about the runs as wholes: lesson, profile, backend, labels, versions."""
    rows: list[dict[str, Any]] = [
        {
            "lesson": record["lesson"]["id"],
            "lesson's text": record["lesson"]["sha256"][:12],
            "profile": record["profile"],
            "backend": record["backend"],
            "labels": ", ".join(record["labels"]),
            "hardware": ", ".join(str(item["name"]) for item in record["hardware"]),
            **{f"{name}'s version": value for name, value in record["versions"].items()},
        }
        for record in records
    ]
    return [Difference((), name, values) for name, values in _different(rows)]


def of_parameters(records: Sequence[Record]) -> list[Difference]:
    """Return the parameters that differ; one that differs alike in several steps is listed once."""
    return _by_step(records, "params")


def of_metrics(records: Sequence[Record]) -> list[Difference]:
    """Return the numbers that differ, step by step."""
    return _by_step(records, "metrics")


def judged(records: Sequence[Record]) -> list[Difference]:
    """Return those of :func:`of_metrics` that a run's expectations speak of: what a person wants first."""
    wanted = {
        (step["id"], item["metric"]["name"])
        for record in records
        for step in record["steps"]
        for item in step.get("expect", ())
        if "metric" in item
    }
    return [item for item in of_metrics(records) if any((step, item.name) in wanted for step in item.steps)]


def of_status(records: Sequence[Record]) -> list[Difference]:
    """Return the steps that did not end alike."""
    rows = [{step["id"]: step["status"] for step in record["steps"]} for record in records]
    return [Difference((name,), "status", values) for name, values in _different(rows)]


def merge_sections(sections: Mapping[str, Iterable[Section]]) -> list[Section]:
    """
    Return the runs' sections put together, those of one title and kind as one.

    Curves come over each other, texts beside each other, tables below each other; each item carries its
    run's letter, and so does a note that is not the same in all of them.
    """
    merged: dict[tuple[str, str], Section] = {}
    said: dict[tuple[str, str], dict[str, Section]] = {}
    for letter, found in sections.items():
        for section in found:
            key: tuple[str, str] = (section.title, section.kind)
            try:
                one = _with_letter(section, letter)
            except (AttributeError, KeyError, TypeError, ValueError):  # of another shape: it is shown as that
                key, one = (section.title, f"{section.kind} of {letter}"), section
            merged[key] = _joined(merged[key], one) if key in merged else one
            said.setdefault(key, {})[letter] = section
    return [
        replace(
            section,
            note=_together({letter: one.note for letter, one in said[key].items()}),
            conclusion=_together({letter: one.conclusion for letter, one in said[key].items()}),
        )
        for key, section in merged.items()
    ]


def _together(sentences: Mapping[str, str]) -> str:
    """Return what is said of runs: once if it is the same of all, else with the letter of each."""
    if len(set(sentences.values())) == 1:
        return next(iter(sentences.values()))
    return "; ".join(f"{letter}: {text}" for letter, text in sentences.items() if text)


def _with_letter(section: Section, letter: str) -> Section:
    data = dict(section.data)
    if section.kind == "table":
        data["columns"] = ["Run", *data["columns"]]
        data["rows"] = [[letter, *row] for row in data["rows"]]
    else:
        key = "title" if section.kind == "texts" else "name"
        data["items"] = [
            item if item.get("dashed") else {**item, key: f"{letter}: {item[key]}"} for item in data["items"]
        ]
    return replace(section, data=data)


def _joined(first: Section, second: Section) -> Section:
    key = "rows" if first.kind == "table" else "items"
    own = first.data[key]
    # A curve for reference is the same in every run: once is enough.
    return replace(
        first, data={**first.data, key: [*own, *(item for item in second.data[key] if item not in own)]}
    )


def _by_step(records: Sequence[Record], part: str) -> list[Difference]:
    found_in = [{step["id"]: step[part] for step in record["steps"]} for record in records]
    alike: dict[tuple[str, str], Difference] = {}
    for step in dict.fromkeys(name for steps in found_in for name in steps):
        rows = [steps.get(step, {}) for steps in found_in]
        for name, values in _different(rows):
            found = alike.get((name, repr(values)))
            alike[name, repr(values)] = Difference((*(found.steps if found else ()), step), name, values)
    return list(alike.values())


def _different(rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    for name in dict.fromkeys(name for row in rows for name in row):
        values = tuple(row.get(name, ABSENT) for row in rows)
        if any(value != values[0] for value in values[1:]):
            yield name, values
