"""A survey of lessons: one module a format, each a function from a :class:`Survey` to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesson_runner.report.formats import SURVEYS
from lesson_runner.report.survey.data import CertificateState, LastRun, Survey, SurveyedLesson

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["CertificateState", "LastRun", "Survey", "SurveyedLesson", "render"]


def render(survey: Survey, form: str, console: Console) -> str:
    """
    Return a survey as a text.

    Args:
        form: the name of one of :data:`~lesson_runner.report.formats.SURVEYS`.
        console: its width limits the text for a terminal.
    """
    renderer = SURVEYS.renderer(form)
    text: str = renderer(survey, console) if form == "text" else renderer(survey)
    return text
