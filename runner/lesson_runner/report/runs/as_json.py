"""A report for a program: the record itself, and the sections of the plugins."""

from __future__ import annotations

from lesson_runner.report.runs.gather import Report
from lesson_runner.report.text import json_text


def render(report: Report) -> str:
    """Return ``{"record": …, "sections": [{"title", "kind", "note", "conclusion", "data"}, …]}`` as JSON."""
    names = ("title", "kind", "note", "conclusion", "data")
    sections = [{name: getattr(item, name) for name in names} for item in report.sections]
    return json_text({"record": report.record, "sections": sections}) + "\n"
