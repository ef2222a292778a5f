"""Run checks as a step of a lesson: print the findings, store them as evidence, and count them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lesson_runner.files.evidence import Evidence
from lesson_runner.files.plain import write_atomically
from lesson_runner.model import Json, Outcome
from lesson_runner.plugins.checks import Check, Finding, Machine, checks_table, finding_data, run_checks
from lesson_runner.plugins.context import StepContext

RECORD = "environment.json"


def run_and_show(
    checks: Sequence[Check], machine: Machine, context: StepContext
) -> list[tuple[Check, Finding]]:
    """Run checks as a step of a lesson, with progress, a table for the learner, and evidence."""
    results: list[tuple[Check, Finding]] = []
    for done, check in enumerate(checks, start=1):
        context.check_time()
        results += run_checks([check], machine)
        context.progress(done, len(checks))
    context.say(checks_table(results))
    write_findings(results, context.evidence)
    return results


def write_findings(results: Iterable[tuple[Check, Finding]], folder: Path) -> None:
    """Store findings as evidence."""
    findings = [finding_data(check, finding) for check, finding in results]
    write_atomically(folder / RECORD, json.dumps(findings, indent=2) + "\n")


METRICS = ("checks", "failed_checks", "warnings", "skipped_checks")
"""The names of the metrics that :func:`measure` returns."""


def measure(evidence: Evidence) -> Mapping[str, float]:
    """
    Return the number of checks by status.

    Raises:
        OSError: there are no stored findings, or they cannot be read.
        ValueError: the file is damaged; likewise KeyError and TypeError.
    """
    statuses = [finding["status"] for finding in evidence.read_json(RECORD)]
    return {
        "checks": len(statuses),
        "failed_checks": statuses.count("failed"),
        "warnings": statuses.count("warning"),
        "skipped_checks": statuses.count("skipped"),
    }


def facts_of(results: Iterable[tuple[Check, Finding]]) -> Json:
    """Return the facts that checks add to a run's record, such as the version of tt-metal."""
    return {name: value for _, finding in results for name, value in finding.facts.items()}


def outcome(results: Iterable[tuple[Check, Finding]]) -> Outcome:
    """Return the step's outcome: failed if a check failed, with a one-line message and the facts."""
    found = list(results)
    return replace(_judged(found), facts=facts_of(found))


def _judged(found: Sequence[tuple[Check, Finding]]) -> Outcome:
    by_status = {
        status: [check.title for check, finding in found if finding.status == status]
        for status in ("failed", "warning", "skipped")
    }
    if by_status["failed"]:
        return Outcome("failed", f"failed: {', '.join(by_status['failed'])}")
    if by_status["warning"]:
        return Outcome(message=f"warnings: {', '.join(by_status['warning'])}")
    if len(by_status["skipped"]) == len(found) and found:
        return Outcome(message=f"nothing to check here: {found[0][1].found}")
    return Outcome()
