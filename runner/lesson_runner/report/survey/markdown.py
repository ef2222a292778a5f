"""The survey as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.report.runs.markdown import plain
from lesson_runner.report.survey.data import Missing, Survey, certificate_in_words, in_words, run_in_words
from lesson_runner.run.outlook import describe_lack


def render(survey: Survey) -> str:
    """Return the totals, a table of lessons by role, what is missing, and the errors."""
    lines = [f"{in_words(survey)}.", ""]
    numbers = [*survey.roles, "steps", "can run now"]
    lines += _row("lesson", *numbers, "last run", "certificates")
    lines += _row("---", *["--:"] * len(numbers), "---", "---")
    for lesson in survey.good:
        roles = [str(lesson.roles.get(role, "")) for role in survey.roles]
        certificates = "; ".join(map(certificate_in_words, lesson.certificates))
        run = run_in_words(lesson.last_run)
        lines += _row(
            plain(lesson.id), *roles, str(lesson.steps), str(lesson.ready), plain(run), plain(certificates)
        )
    lines += _things("Missing here", survey.missing())
    lines += _things("Found out by a run", survey.open())
    if survey.bad:
        lines += ["", "| lesson with errors | errors | first error |", "|---|--:|---|"]
        for lesson in survey.bad:
            lines += _row(plain(lesson.id), str(lesson.errors), plain(str(lesson.error)))
    return "\n".join(lines) + "\n"


def _things(title: str, found: Iterable[Missing]) -> list[str]:
    rows = [
        row
        for item in found
        for row in _row(plain(describe_lack(item.lack)), str(item.steps), ", ".join(map(plain, item.lessons)))
    ]
    return ["", f"| {title.lower()} | steps | lessons |", "|---|--:|---|", *rows] if rows else []


def _row(*cells: str) -> list[str]:
    return [f"| {' | '.join(cells)} |"]
