"""What is kept of checks as a step's evidence, and the numbers that are read from it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from lesson_runner.model import Outcome
from lesson_runner.resources import write_aside
from lesson_tenstorrent.checks import Check, Finding

RECORD = "environment.json"


def keep(results: Iterable[tuple[Check, Finding]], folder: Path) -> None:
    """Write down what was found."""
    findings = [
        {"id": check.id, "title": check.title, "why": check.why, **dataclasses.asdict(finding)}
        for check, finding in results
    ]
    write_aside(folder / RECORD, json.dumps(findings, indent=2) + "\n")


def measure(folder: Path) -> Mapping[str, float]:
    """
    Return how many checks ended how.

    Raises:
        OSError: nothing was written down.
        ValueError: it is damaged; so are KeyError and TypeError.
    """
    statuses = [finding["status"] for finding in json.loads((folder / RECORD).read_text("utf-8"))]
    return {
        "checks": len(statuses),
        "failed_checks": statuses.count("failed"),
        "warnings": statuses.count("warning"),
        "skipped_checks": statuses.count("skipped"),
    }


def outcome(results: Iterable[tuple[Check, Finding]]) -> Outcome:
    """Return failure if a check failed, and otherwise what is worth knowing in one line."""
    found = list(results)
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
