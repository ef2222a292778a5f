"""
The page: what the template shows, and the template's rules.

Every text passes :func:`~lesson_runner.report.runs.formatting.public` and is escaped; only our own style
sheet and the drawings, which an XML library wrote, go in as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment

from lesson_runner.report.html import plots
from lesson_runner.report.html.environment import environment, style
from lesson_runner.report.html.sections import label_of, view
from lesson_runner.report.html.steps import views
from lesson_runner.report.runs.formatting import (
    CLAIM_RESULTS,
    claim_counts,
    claims_of,
    moment,
    step_counts,
    value,
)
from lesson_runner.report.runs.report_data import Report
from lesson_runner.report.text import duration

_HERE = Path(__file__).parent
_SIGNS = {"passed": "✓", "failed": "✗", "interrupted": "!", "nothing-ran": "-"}


def render(report: Report) -> str:
    """Return the page; without matplotlib it has only tables, and says how to get drawings."""
    record = report.record
    draw = plots.available()
    sections = [view(section, place, draw=draw) for place, section in enumerate(report.sections, 1)]
    drawable = any(section.kind == "series" for section in sections)
    steps = views(report)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            record=record,
            style=style(),
            sign=_SIGNS[record["status"]],
            summary=list(_summary(record)),
            conclusions=report.conclusions,
            failed=[step for step in steps if step.open],
            sections=sections,
            install="" if draw or not drawable else plots.INSTALL,
            claims=_claims(record),
            claim_counts=claim_counts(record),
            steps=steps,
            left_out=len(record["steps"]) - len(steps),
            facts=list(_flat(record["facts"])),
            hardware=record["hardware"],
            setup=list(_setup(record)),
        )
    )


def _environment() -> Environment:
    made = environment(_HERE)
    made.filters |= {"labels": label_of, "values": _as_values}
    return made


def _as_values(items: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, value(item)) for name, item in items]


def _summary(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Profile", record["profile"]
    yield "Steps", step_counts(record)
    yield "Time", duration(record["seconds"])
    yield "Hardware", "; ".join(item["name"] for item in record["hardware"]) or "not detected"
    if counts := claim_counts(record):
        yield "The lesson's claims", counts
    yield "Started", moment(record["started"])


def _claims(record: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return the claims with their steps; those that were evaluated come first."""
    return sorted(claims_of(record), key=lambda pair: CLAIM_RESULTS.index(pair[1]["result"]))


def _setup(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how the run was started: lesson, profile, backend, options, parameters."""
    lesson = record["lesson"]
    yield "Run", record["run_id"]
    yield "Lesson", f"{lesson['id']} ({lesson['path']})"
    if lesson.get("recognised"):
        yield "Steps", "recognised by plugins; the lesson declares none"
    yield "sha256 of the lesson", lesson["sha256"]
    yield "sha256 of the plan", record["plan_digest"]
    yield "Profile", record["profile"]
    yield "Requested backend", record["backend"]
    for name, item in record["options"].items():
        if item:
            yield f"--{name}", value(item)
    for name, item in record["params"].items():
        yield f"--param {name}", value(item)
    yield "Started", moment(record["started"])
    yield "Finished", moment(record["finished"])
    yield "Exit code", str(record["exit_code"])


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield facts with dotted names, such as ``dataset.source``."""
    for name, item in facts.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{above}{name}.")
        else:
            yield f"{above}{name}", value(item)
