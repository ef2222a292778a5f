"""
A run in the Common Test Report Format.

The quick tests compare it with what the published specification requires, written here as a schema; the slow
one against the schema that the format's own package (npm: `ctrf`) brings.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator
from tests.lesson_runner.report.stories import TEXTS, retold, run, story

from lesson_runner.report.runs import render

STATUS = {"enum": ["passed", "failed", "skipped", "pending", "other"]}
COUNT = {"type": "integer", "minimum": 0}
SPECIFIED: dict[str, Any] = {
    "type": "object",
    "required": ["results", "reportFormat", "specVersion"],
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT"},
        "results": {
            "type": "object",
            "required": ["tool", "summary", "tests"],
            "properties": {
                "tool": {"required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}},
                "summary": {
                    "required": ["tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"],
                    "additionalProperties": COUNT,
                },
                "tests": {
                    "type": "array",
                    "items": {
                        "required": ["name", "status", "duration"],
                        "properties": {
                            "name": {"type": "string", "minLength": 1},
                            "status": STATUS,
                            "duration": COUNT,
                            "suite": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                            "stdout": {"type": "array", "items": {"type": "string"}},
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "parameters": {"type": "object"},
                            "retries": COUNT,
                            "flaky": {"type": "boolean"},
                        },
                    },
                },
            },
        },
    },
}


def checked(text: str, schema: dict[str, Any] = SPECIFIED) -> dict[str, Any]:
    said = json.loads(text)
    assert [
        f"{error.json_path}: {error.message}" for error in Draft7Validator(schema).iter_errors(said)
    ] == []
    results = said["results"]
    assert isinstance(results, dict)
    return results


def test_tests_and_summary() -> None:
    results = checked(render(story(), "ctrf"))
    record, _ = run()
    assert {test["name"]: (test["status"], test["rawStatus"]) for test in results["tests"]} == {
        "good": ("passed", "passed"),
        "bad": ("failed", "failed"),
        "may-fail": ("other", "failed"),
        "broken": ("failed", "error"),
        "blocked": ("pending", "not-reached"),
        "board": ("skipped", "skipped"),
        "flood": ("passed", "passed"),
    }
    summary = results["summary"]
    counted = {name: summary[name] for name in ("tests", "passed", "failed", "skipped", "pending", "other")}
    assert counted == {"tests": 7, "passed": 2, "failed": 2, "skipped": 1, "pending": 1, "other": 1}
    assert summary["stop"] - summary["start"] == pytest.approx(record["seconds"] * 1000, abs=100)
    environment = results["environment"]
    assert environment["healthy"] is False
    assert environment["extra"]["labels"] == ["emulated"]
    assert environment["testEnvironment"] == "default, emulated"


def test_a_failure_has_its_message_and_expectations() -> None:
    tests = {test["name"]: test for test in checked(render(story(), "ctrf"))["tests"]}
    assert "that | `one`" in tests["bad"]["message"]
    assert len(tests["bad"]["trace"].split("\n")) == 2
    assert tests["bad"]["stdout"] == ["not | this <i>"]
    assert tests["good"]["extra"]["metrics"] == {"loss": 1.5, "words": 12.0}
    assert tests["good"]["tags"] == ["emulated"]


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_any_text_makes_a_valid_document(texts: dict[str, str]) -> None:
    checked(render(retold(texts), "ctrf"))


@pytest.mark.slow
def test_the_official_schema(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, and the schema comes from its registry")
    command = ["npm", "pack", "--silent", "ctrf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"npm could not fetch the package: {done.stderr.strip()[-200:]}")
    with tarfile.open(tmp_path / done.stdout.split()[-1]) as archive:
        name = next(name for name in archive.getnames() if "schema" in name and name.endswith(".json"))
        file = archive.extractfile(name)
        assert file is not None
        schema = json.load(file)
    wrong = Draft7Validator(schema).iter_errors({"reportFormat": "CTRF", "results": {}})
    assert list(wrong), "the schema finds what is wrong"
    checked(render(story(), "ctrf"), schema)
    checked(render(retold(dict.fromkeys(("title", "label", "name", "value", "output"), "")), "ctrf"), schema)
