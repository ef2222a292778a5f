"""
A run as JUnit XML, which continuous integration shows: a run is a test suite, a step is a test case.

There is no single schema; this module writes what those of Ant, Jenkins and their readers have in common.
An optional step that failed is reported as skipped, with the reason: JUnit has no status for it, and a
failure would contradict a run that passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from lesson_runner.report.runs.evidence import Excerpt
from lesson_runner.report.runs.formatting import claim_counts, command_of, public, unmet, value, went_wrong
from lesson_runner.report.runs.report_data import Report
from lesson_runner.run.judge import describe_expected

Step = Mapping[str, Any]


def render(report: Report) -> str:
    """Return the XML."""
    record = report.record
    steps = record["steps"]
    kinds = [_kind(step) for step in steps]
    numbers = {
        "tests": str(len(steps)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": _seconds(record["seconds"]),
    }
    root = ElementTree.Element("testsuites", {"name": "lesson-runner", **numbers})
    name = public(record["lesson"]["id"]) or "lesson"
    # In the schema of Ant's reporters, times have no zone.
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": name, **numbers, "timestamp": public(record["started"])[:19]}
    )
    _properties(suite, _facts(record))
    for step, kind in zip(steps, kinds, strict=True):
        _case(suite, step, kind, name, report.outputs.get(str(step["id"])))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _facts(record: Mapping[str, Any]) -> dict[str, str]:
    hardware = "; ".join(f"{item['name']} ({item['detected_by']})" for item in record["hardware"])
    facts = {
        "run_id": record["run_id"],
        "status": record["status"],
        "title": record["lesson"]["title"],
        "lesson_sha256": record["lesson"]["sha256"],
        "profile": record["profile"],
        "labels": ", ".join(record["labels"]),
        "hardware": hardware,
        "claims": claim_counts(record),
        **{f"param.{name}": value(item) for name, item in record["params"].items()},
        **{f"version.{name}": text for name, text in record["versions"].items()},
    }
    return {public(name): public(text) for name, text in facts.items() if text}


def _properties(parent: ElementTree.Element, facts: Mapping[str, str]) -> None:
    if facts:
        properties = ElementTree.SubElement(parent, "properties")
        for name, text in facts.items():
            ElementTree.SubElement(properties, "property", {"name": name, "value": text})


def _kind(step: Step) -> str:
    if went_wrong(step) and step.get("optional"):
        return "skipped"
    kinds = {"passed": "", "failed": "failure", "error": "error"}
    return kinds.get(step["status"], "skipped")


def _case(suite: ElementTree.Element, step: Step, kind: str, classname: str, output: Excerpt | None) -> None:
    attributes = {
        "classname": classname,
        "name": public(step["id"]),
        "time": _seconds(step.get("seconds", 0)),
    }
    case = ElementTree.SubElement(suite, "testcase", attributes)
    facts = {
        "title": public(step["title"]),
        "action": public(step["action"]),
        "labels": public(", ".join(step.get("labels", ()))),
        **{
            public(f"metric.{name}"): repr(number)
            for name, number in step["metrics"].items()
            if number is not None
        },
    }
    _properties(case, {name: text for name, text in facts.items() if text})
    message = public(step["message"])
    if kind == "skipped":
        if went_wrong(step):
            message = f"{step['status']}, but optional: {message}"
        ElementTree.SubElement(case, "skipped", {"message": message or str(step["status"])})
    elif kind:
        element = ElementTree.SubElement(case, kind, {"message": message, "type": str(step["status"])})
        element.text = public("\n".join(_details(step))) or message
    if output is not None:
        ElementTree.SubElement(case, "system-out").text = output.text


def _details(step: Step) -> Iterator[str]:
    """Yield a step's command, the expectations that were not met, and the diagnoses of plugins."""
    yield from command_of(step)
    for verdict in unmet(step):
        yield f"expected {describe_expected(verdict['matcher'], verdict['expected'])}"
        yield f"got {verdict['actual']}"
    for diagnosis in step.get("diagnoses", ()):
        where = f" ({diagnosis['link']})" if diagnosis.get("link") else ""
        yield f"{diagnosis['title']}: {diagnosis['explanation']}{where}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
