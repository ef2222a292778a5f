"""A report for a program: the record itself, and the sections of the plugins."""

from __future__ import annotations

import json

from lesson_runner.report.runs.gather import Report


def render(report: Report) -> str:
    """Return ``{"record": …, "sections": [{"title", "kind", "note", "conclusion", "data"}, …]}`` as JSON."""
    names = ("title", "kind", "note", "conclusion", "data")
    sections = [{name: getattr(item, name) for name in names} for item in report.sections]
    text = json.dumps(
        {"record": report.record, "sections": sections}, indent=2, ensure_ascii=False, allow_nan=False
    )
    # A file's name may hold bytes that are no text; JSON can write what stands for them, UTF-8 cannot.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"
