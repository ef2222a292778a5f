"""The steps of a run as a page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lesson_runner.report.live import SIGNS
from lesson_runner.report.runs.evidence import Excerpt
from lesson_runner.report.runs.formatting import command_of, left_out, moment, shortened, value, went_wrong
from lesson_runner.report.runs.report_data import Report
from lesson_runner.report.summary import key_metric
from lesson_runner.report.text import duration, number

LONGEST = 4000
"""Characters shown of a message, a command or a value; the record has all of it."""
MAX_SHOWN = 1_000
"""Verdicts, metrics, parameters and so on that are shown of a step; the record has all of them."""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step, for the template."""

    number: int
    id: str
    title: str
    status: str
    sign: str
    open: bool
    """True if all of it is unfolded."""
    key: str
    time: str
    message: str
    command: str
    verdicts: tuple[Mapping[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    claims: tuple[Mapping[str, Any], ...]
    diagnoses: tuple[Mapping[str, str], ...]
    params: tuple[tuple[str, str, str], ...]
    """Name, value, and what set it."""
    facts: tuple[tuple[str, str], ...]
    output: Excerpt | None
    artifacts: tuple[tuple[str, str, str], ...]
    """Path, bytes, sha256."""


def views(report: Report) -> list[StepView]:
    """Return the steps that the user did not leave out, in order."""
    steps = [step for step in report.record["steps"] if not left_out(step)]
    return [_view(step, place, report.outputs.get(str(step["id"]))) for place, step in enumerate(steps, 1)]


def _view(step: Mapping[str, Any], place: int, output: Excerpt | None) -> StepView:
    return StepView(
        place,
        step["id"],
        step["title"],
        step["status"],
        SIGNS[step["status"]][0],
        went_wrong(step),
        key_metric(step) if not went_wrong(step) else "",
        duration(step.get("seconds", 0)) if step.get("attempts") else "",
        shortened(step["message"], LONGEST),
        shortened("\n".join(command_of(step)), LONGEST),
        tuple(
            {
                "what": f"{item['matcher']} {shortened(item['expected'], LONGEST)}",
                "actual": shortened(item["actual"], LONGEST),
                "status": "passed" if item["passed"] else "failed",
            }
            for item in step["verdicts"][:MAX_SHOWN]
        ),
        tuple((name, number(metric)) for name, metric in islice(step["metrics"].items(), MAX_SHOWN)),
        tuple(step["claims"][:MAX_SHOWN]),
        tuple({"link": "", **diagnosis} for diagnosis in step.get("diagnoses", ())[:MAX_SHOWN]),
        tuple(_params(step)),
        tuple(_facts(step)),
        output,
        tuple(
            (path, f"{item['bytes']:,}", item.get("sha256") or f"not hashed: {item.get('not_hashed', '')}")
            for path, item in islice(step.get("artifacts", {}).items(), MAX_SHOWN)
        ),
    )


def _params(step: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    set_by: dict[str, str] = {}
    for layer in step.get("layers", ()):
        params = layer.get("params")
        set_by |= dict.fromkeys(params if isinstance(params, Mapping) else (), str(layer.get("name", "")))
    for name, item in islice(step["params"].items(), MAX_SHOWN):
        yield name, shortened(value(item), LONGEST), set_by.get(name, "")


def _facts(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where the step is in the lesson and how it ran; facts that say nothing are left out."""
    claimed = f", recognised by {step['claimed_by']}" if step.get("claimed_by") else ""
    yield "Action", f"{step['action']}{claimed}"
    yield "In the lesson", f"line {step['line']}"
    if step.get("needs"):
        yield "Needs", ", ".join(step["needs"])
    if step.get("optional"):
        yield "Optional", "it may fail"
    if step.get("cleanup"):
        yield "Cleanup", "it runs at the end"
    if step.get("hint") and went_wrong(step):
        yield "Hint", shortened(str(step["hint"]), LONGEST)
    if step.get("attempts", 0) > 1:
        yield "Attempts", str(step["attempts"])
    if step.get("exit_code") is not None:
        yield "Exit code", str(step["exit_code"])
    if step.get("started"):
        yield "Started", moment(step["started"])
    if step.get("labels"):
        yield "Labels", ", ".join(step["labels"])
