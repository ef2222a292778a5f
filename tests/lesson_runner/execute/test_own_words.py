"""The runner's own words, which stay in records even if a secret is the same word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lesson_runner.document.schema.validator import load_schema
from lesson_runner.execute.redaction.own_words import NAMES
from lesson_runner.execute.redaction.redactor import Redactor


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for item in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _properties(item)


def test_every_key_of_a_record_is_kept() -> None:
    assert set(_properties(load_schema("record"))) <= NAMES


def test_the_selection_of_steps_is_kept() -> None:
    options: dict[str, Any] = {"start": "two", "until": None, "only": []}
    assert Redactor(["start", "until", "only"]).data(options) == options
