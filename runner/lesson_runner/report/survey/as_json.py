"""The survey for a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.report.survey.data import Missing, Survey, SurveyedLesson
from lesson_runner.report.text import json_text
from lesson_runner.run.outlook import LEFT_OUT, STEP, VALUE, Lack


def render(survey: Survey) -> str:
    """Return the survey as JSON, as the schema ``survey`` describes it."""
    return json_text(data(survey)) + "\n"


def data(survey: Survey) -> dict[str, Any]:
    """Return the survey as data."""
    return {
        "hardware": list(survey.hardware),
        "lessons": list(map(_lesson, survey.lessons)),
        "missing": _things(survey.missing(_exact)),
        "found_out_by_a_run": _things(survey.open(_exact)),
    }


def _lesson(lesson: SurveyedLesson) -> dict[str, Any]:
    outlook, run, error = lesson.outlook, lesson.last_run, lesson.error
    return {
        "id": mask(lesson.id),
        "title": mask(lesson.title),
        "path": str(lesson.path),
        "blocks": dict(lesson.roles),
        "steps": {
            "total": lesson.steps,
            "ready": list(outlook.ready) if outlook else [],
            "skipped": [
                {"step": name, "lacks": [mask(str(lack)) for lack in lacks]}
                for name, lacks in (outlook.skipped.items() if outlook else ())
            ],
            "found_out_by_a_run": [
                {"step": name, "needs": list(map(str, needs))}
                for name, needs in (outlook.open.items() if outlook else ())
            ],
        },
        "errors": lesson.errors,
        "first_error": error
        and {
            "rule": error.rule,
            "message": mask(error.message),
            "fix": error.fix and mask(error.fix),
            "line": error.location.line,
            "column": error.location.column,
        },
        "last_run": run
        and {
            "run_id": run.run,
            "status": run.status,
            "started": run.started or None,
            "hardware": list(run.hardware),
            "labels": list(run.labels),
        },
        "certificates": [
            {"hardware": item.hardware, "state": item.state, "reason": item.reason, "since": item.since}
            for item in lesson.certificates
        ],
    }


def _exact(lack: Lack) -> Lack:
    """Return a lack as it is; only what its own lesson means is left out."""
    return Lack(lack.kind) if lack.kind in (STEP, VALUE, LEFT_OUT) else lack


def _things(found: Iterable[Missing]) -> list[dict[str, Any]]:
    return [{"what": str(item.lack), "steps": item.steps, "lessons": list(item.lessons)} for item in found]
