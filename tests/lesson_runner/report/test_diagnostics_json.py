"""Diagnostics as JSON: they follow the schema, and every text is unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.lesson_runner.report.found import DIAGNOSTICS, found, items_of, one, shown

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model import Edit, Location

ROOT = Path("/here")


@pytest.mark.slow
@given(DIAGNOSTICS)
def test_output_follows_the_schema(diagnostics: Any) -> None:
    said = json.loads(shown(diagnostics, "json", ROOT).encode())
    assert [error.message for error in validator_for(load_schema("findings")).iter_errors(said)] == []
    assert [item["message"] for item in said["findings"]] == [item.message for item in items_of(diagnostics)]
    assert len(said["findings"]) == said["errors"] + said["warnings"] + said["notes"]


def test_one_diagnostic() -> None:
    place = Location(Path("/here/a.md"), 3, 2)
    item = one("wrong", path="/here/a.md", line=3, column=2, fix="fix it", edits=(Edit(place, "a", "b"),))
    assert json.loads(shown(found(item, fixed=1), "json", ROOT)) == {
        "lessons": ["a.md"],
        "errors": 1,
        "warnings": 0,
        "notes": 0,
        "fixed": 1,
        "findings": [
            {
                "rule": "unknown-key",
                "severity": "error",
                "message": "wrong",
                "path": "a.md",
                "line": 3,
                "column": 2,
                "fix": "fix it",
                "fixable": True,
            }
        ],
    }
