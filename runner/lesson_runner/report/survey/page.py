"""The survey as a page: one file without scripts that loads nothing."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.report.html.environment import environment, style
from lesson_runner.report.survey.data import ROLES, Survey, certificate_in_words, in_words, run_in_words
from lesson_runner.run.outlook import describe_lack

_HERE = Path(__file__).parent


def render(survey: Survey) -> str:
    """Return the page; every text in it is escaped."""
    made = environment(_HERE)
    made.filters |= {"lack": describe_lack, "run": run_in_words, "certificate": certificate_in_words}
    return made.get_template("survey.html.jinja").render(
        survey=survey,
        style=style(_HERE / "survey.css"),
        totals=in_words(survey),
        roles=survey.roles,
        meanings=ROLES,
        ready=sum(lesson.ready for lesson in survey.good),
        steps=sum(lesson.steps for lesson in survey.good),
        tables=[
            (
                "missing",
                "What is missing here",
                "Steps that need one of these are skipped.",
                survey.missing(),
            ),
            (
                "open",
                "What only a run finds out",
                "Hosts, servers, Docker and sudo are not asked before a run.",
                survey.open(),
            ),
        ],
    )
