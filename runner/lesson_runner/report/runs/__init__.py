"""
Reports on a run: one module a format, each a function from a :class:`Report` to a text.

A report is a function of the run's record, its evidence and what plugins make of both; it holds no time of
its own, so that the same run gives the same bytes.
"""

from __future__ import annotations

from lesson_runner.report.runs import as_json, ctrf, junit, markdown
from lesson_runner.report.runs.gather import Report, gather

__all__ = ["FORMATS", "Report", "gather", "render"]

FORMATS = ("html", "markdown", "junit", "ctrf", "json")


def render(report: Report, form: str) -> str:
    """
    Return a report as a text.

    Args:
        form: one of :data:`FORMATS`.
    """
    if form == "html":
        from lesson_runner.report.html import page  # only this one needs templates and drawings

        return page.render(report)
    renderers = {
        "markdown": markdown.render,
        "junit": junit.render,
        "ctrf": ctrf.render,
        "json": as_json.render,
    }
    return renderers[form](report)
