"""A report for a program: the record itself, and the sections of the plugins."""

from __future__ import annotations

import math
from typing import Any

from lesson_runner.model import Cell, Line, Passage, Section, Table, Texts
from lesson_runner.report.runs.report_data import Report
from lesson_runner.report.text import json_text


def render(report: Report) -> str:
    """Return ``{"record": …, "sections": […]}`` as JSON; the sections are those of :func:`section_data`."""
    sections = list(map(section_data, report.sections))
    return json_text({"record": report.record, "sections": sections}) + "\n"


def section_data(section: Section) -> dict[str, Any]:
    """
    Return ``{"title", "kind", "note", "conclusion", "data"}``, fit for JSON.

    The kind is ``texts``, ``table`` or ``series``; the data are the section's other fields. Fields of texts
    and lines that say nothing are left out, and a number that is not finite is ``None``.
    """
    data: dict[str, Any]
    if isinstance(section, Texts):
        kind, data = "texts", {"items": list(map(_passage, section.items))}
    elif isinstance(section, Table):
        rows = [[_cell(cell) for cell in row] for row in section.rows]
        kind, data = "table", {"columns": list(section.columns), "rows": rows}
    else:
        kind, data = "series", {"x": section.x, "y": section.y, "items": list(map(_line, section.lines))}
        if section.stages:
            data["stages"] = [{"x": x, "name": name} for x, name in section.stages]
    return {
        "title": section.title,
        "kind": kind,
        "note": section.note,
        "conclusion": section.conclusion,
        "data": data,
    }


def _passage(item: Passage) -> dict[str, Any]:
    data: dict[str, Any] = {"title": item.title, "text": item.text}
    if item.row:
        data["row"] = item.row
    if item.marks:
        data["marks"] = [{"start": start, "end": end, "kind": kind} for start, end, kind in item.marks]
    return data


def _line(line: Line) -> dict[str, Any]:
    data: dict[str, Any] = {"name": line.name, "points": list(map(list, line.points))}
    return {**data, "dashed": True} if line.dashed else data


def _cell(cell: Cell) -> Cell:
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
