"""
A run in the Common Test Report Format, for tools that compare and summarise test runs.

https://ctrf.io, specification 0.0: each step is a test. Data without a field in the format are in ``extra``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lesson_runner import __version__
from lesson_runner.report.runs.evidence import Excerpt
from lesson_runner.report.runs.formatting import milliseconds, printable, public, unmet
from lesson_runner.report.runs.report_data import Report
from lesson_runner.report.text import json_text
from lesson_runner.run.judge import describe_expected

SPECIFICATION = "0.0.0"
STATUSES = {
    "passed": "passed",
    "failed": "failed",
    "error": "failed",
    "skipped": "skipped",
    "not-reached": "pending",
    "planned": "pending",
}
"""The format's status for each status of a step; ``rawStatus`` keeps ours."""
_ALL = ("passed", "failed", "skipped", "pending", "other")


def render(report: Report) -> str:
    """Return the document."""
    record = report.record
    tests = [_test(step, record, report.outputs.get(str(step["id"]))) for step in record["steps"]]
    summary: dict[str, Any] = {"tests": len(tests)}
    summary |= {name: sum(test["status"] == name for test in tests) for name in _ALL}
    summary |= {
        "flaky": sum(test.get("flaky", False) for test in tests),
        "start": milliseconds(record["started"]),
        "stop": milliseconds(record["finished"]),
        "duration": round(record["seconds"] * 1000),
    }
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPECIFICATION,
        "timestamp": record["finished"],
        "generatedBy": f"lesson-runner {__version__}",
        "results": {
            "tool": {"name": "lesson-runner", "version": record["versions"].get("lesson-runner", "")},
            "summary": summary,
            "tests": tests,
            "environment": _environment(record),
        },
    }
    return json_text(document) + "\n"


def _environment(record: Mapping[str, Any]) -> dict[str, Any]:
    extra = {
        "run_id": record["run_id"],
        "status": record["status"],
        "labels": record["labels"],
        "profile": record["profile"],
        "lesson_sha256": record["lesson"]["sha256"],
        "plan_digest": record["plan_digest"],
        "hardware": record["hardware"],
        "facts": record["facts"],
        "params": record["params"],
        "versions": record["versions"],
    }
    return {
        "reportName": public(record["lesson"]["title"]),
        "appName": public(record["lesson"]["id"]),
        "osVersion": printable(record["versions"].get("platform", "")),
        "testEnvironment": printable(", ".join([record["profile"], *record["labels"]])),
        "healthy": record["status"] == "passed",
        "extra": _clean(extra),
    }


def _test(step: Mapping[str, Any], record: Mapping[str, Any], output: Excerpt | None) -> dict[str, Any]:
    status = STATUSES[step["status"]]
    if status == "failed" and step.get("optional"):
        status = "other"  # an optional step may fail in a run that passed
    test: dict[str, Any] = {
        "name": public(step["id"]) or "step",
        "status": status,
        "duration": round(step.get("seconds", 0) * 1000),
        "rawStatus": step["status"],
        "suite": [public(record["lesson"]["title"])],
        "type": public(step["action"]),
        "filePath": public(record["lesson"]["path"]),
        "line": step["line"],
        "extra": _clean(
            {
                "title": step["title"],
                "command": step.get("command", ""),
                "metrics": step["metrics"],
                "verdicts": step["verdicts"],
                "claims": step["claims"],
                "diagnoses": step.get("diagnoses", []),
                "artifacts": step.get("artifacts", {}),
            }
        ),
    }
    if step["params"]:
        test["parameters"] = _clean(step["params"])
    if step.get("labels"):
        test["tags"] = [public(label) for label in step["labels"]]
    if step.get("started"):
        start = milliseconds(step["started"])
        test |= {"start": start, "stop": start + test["duration"]}
    if step.get("attempts", 0) > 1:
        test |= {"retries": step["attempts"] - 1, "flaky": step["status"] == "passed"}
    if step["message"]:
        test["message"] = public(step["message"])
    if wrong := unmet(step):
        rows = (
            f"expected {describe_expected(item['matcher'], item['expected'])}; got {item['actual']}"
            for item in wrong
        )
        test["trace"] = public("\n".join(rows))
    if output is not None:
        test["stdout"] = output.text.split("\n")
    return test


def _clean(data: Any) -> Any:
    """Return data with every text in it made :func:`public`."""
    if isinstance(data, Mapping):
        return {public(key): _clean(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_clean(item) for item in data]
    return public(data) if isinstance(data, str) else data
