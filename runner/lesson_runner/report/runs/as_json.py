"""A report for a program: the record itself, and the sections of the plugins."""

from __future__ import annotations

import json

from lesson_runner.report.runs.gather import Report


def render(report: Report) -> str:
    """Return ``{"record": …, "sections": [{"title", "kind", "note", "data"}, …]}`` as JSON."""
    sections = [
        {"title": item.title, "kind": item.kind, "note": item.note, "data": item.data}
        for item in report.sections
    ]
    text = json.dumps(
        {"record": report.record, "sections": sections}, indent=2, ensure_ascii=False, allow_nan=False
    )
    # A file's name may hold bytes that are no text; JSON can write what stands for them, UTF-8 cannot.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"
