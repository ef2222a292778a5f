"""Compare runs: the parameters and results that differ, and their merged sections. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lesson_runner.model import Section, Series, Table, Texts

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The names of runs in a comparison; run ids are too long for a table."""
ABSENT = "-"
"""Shown where a run does not have the parameter or number."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the same in all runs."""

    steps: tuple[str, ...]
    """The ids of the steps; empty for a value of the whole run."""
    name: str
    values: tuple[Any, ...]
    """One for each run; :data:`ABSENT` if it has none."""


def name_runs(records: Sequence[Record]) -> dict[str, Record]:
    """Return the runs by their letters, in order."""
    return dict(zip(LETTERS, records, strict=False))


def run_differences(records: Sequence[Record]) -> list[Difference]:
    """Return differences of whole runs: lesson, profile, backend, labels, hardware, versions."""
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


def parameter_differences(records: Sequence[Record]) -> list[Difference]:
    """Return the parameters that differ; one with the same values in several steps is listed once."""
    return _by_step(records, "params")


def metric_differences(records: Sequence[Record]) -> list[Difference]:
    """Return the metrics that differ, step by step."""
    return _by_step(records, "metrics")


def judged_differences(records: Sequence[Record]) -> list[Difference]:
    """Return those of :func:`metric_differences` that an expectation of a run judges."""
    wanted = {
        (step["id"], item["metric"]["name"])
        for record in records
        for step in record["steps"]
        for item in step.get("expect", ())
        if "metric" in item
    }
    return [
        item
        for item in metric_differences(records)
        if any((step, item.name) in wanted for step in item.steps)
    ]


def status_differences(records: Sequence[Record]) -> list[Difference]:
    """Return the steps that ended with different statuses."""
    rows = [{step["id"]: step["status"] for step in record["steps"]} for record in records]
    return [Difference((name,), "status", values) for name, values in _different(rows)]


def merge_sections(sections: Mapping[str, Iterable[Section]]) -> list[Section]:
    """
    Return the merged sections of the runs; sections with the same title, type and columns become one.

    Their lines share a chart, their texts are shown next to each other, their table rows follow each other.
    Each is marked with its run's letter, and so is a note that differs between runs.
    """
    merged: dict[tuple[object, ...], Section] = {}
    parts: dict[tuple[object, ...], dict[str, Section]] = {}
    for letter, found in sections.items():
        for section in found:
            columns = section.columns if isinstance(section, Table) else ()
            key = (section.title, type(section), columns)
            own = _with_letter(section, letter)
            merged[key] = _merge(merged[key], own) if key in merged else own
            parts.setdefault(key, {})[letter] = section
    return [
        replace(
            section,
            note=_merge_sentences({letter: part.note for letter, part in parts[key].items()}),
            conclusion=_merge_sentences({letter: part.conclusion for letter, part in parts[key].items()}),
        )
        for key, section in merged.items()
    ]


def _merge_sentences(sentences: Mapping[str, str]) -> str:
    """Return the common sentence of the runs, or each run's sentence with its letter."""
    if len(set(sentences.values())) == 1:
        return next(iter(sentences.values()))
    return "; ".join(f"{letter}: {text}" for letter, text in sentences.items() if text)


def _with_letter(section: Section, letter: str) -> Section:
    if isinstance(section, Table):
        rows = tuple((letter, *row) for row in section.rows)
        return replace(section, columns=("Run", *section.columns), rows=rows)
    if isinstance(section, Texts):
        items = tuple(replace(item, title=f"{letter}: {item.title}") for item in section.items)
        return replace(section, items=items)
    lines = tuple(
        line if line.dashed else replace(line, name=f"{letter}: {line.name}") for line in section.lines
    )
    return replace(section, lines=lines)


def _merge(first: Section, second: Section) -> Section:
    """Return two sections of the same type as one."""
    if isinstance(first, Table) and isinstance(second, Table):
        return replace(first, rows=first.rows + second.rows)
    if isinstance(first, Texts) and isinstance(second, Texts):
        return replace(first, items=first.items + second.items)
    if isinstance(first, Series) and isinstance(second, Series):
        # A line for comparison is the same in every run: once is enough.
        new = tuple(line for line in second.lines if line not in first.lines)
        return replace(first, lines=first.lines + new)
    raise TypeError(f"{type(first).__name__} and {type(second).__name__} cannot be joined")


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
