"""Validating data against a schema, when only the first error matters."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document.schema.validator import KeyPath, check, first_error
from lesson_runner.model import Location

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        }
    },
}
PLACES: dict[KeyPath, Location] = {(): Location(Path("record.json"), 1)}


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ([], False),
        ([{"name": "a"}], False),
        ([{"name": "a", "later": 1}], False),  # a key of a later version
        ([{"name": 1}], True),
        ([{"later": 1}], True),
        ([{"name": "a", "later": 1}, {"name": 1}], True),
    ],
)
def test_the_first_error(items: list[Any], wrong: bool) -> None:
    found = first_error({"items": items}, SCHEMA, PLACES, what="the record")
    assert (found is not None and found.severity == "error") is wrong


def test_many_errors_cost_no_more_than_one() -> None:
    data = {"items": [{"x": 1}] * 3_000}
    began = time.process_time()
    assert first_error(data, SCHEMA, PLACES, what="the record") is not None
    first = time.process_time() - began
    assert len(list(check(data, SCHEMA, PLACES, what="the record", unknown_key="warning"))) > 1
    assert first < (time.process_time() - began) / 10
