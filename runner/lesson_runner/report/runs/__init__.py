"""
Reports on a run: one module a format, each a function from a :class:`Report` to a text.

A report is a function of the run's record, its evidence and the sections that plugins add; it holds no time
of writing, so that the same run gives the same bytes.
"""

from __future__ import annotations

from lesson_runner.report.formats import REPORTS
from lesson_runner.report.runs.report_data import Report, read_report

__all__ = ["Report", "read_report", "render"]


def render(report: Report, form: str) -> str:
    """
    Return a report as a text.

    Args:
        form: the name of one of :data:`~lesson_runner.report.formats.REPORTS`.
    """
    text: str = REPORTS.renderer(form)(report)
    return text
