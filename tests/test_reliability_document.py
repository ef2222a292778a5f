"""``docs/reliability.md`` has each fault that a test provokes, and no other."""

from __future__ import annotations

import pytest
from tests.reliability import DOCUMENT, FAULTS, Fault, document, table


def test_the_table_is_what_the_tests_say(request: pytest.FixtureRequest) -> None:
    faults = request.config.stash[FAULTS]
    text = DOCUMENT.read_text("utf-8")
    again = "write it again: python -m tests.reliability"
    if request.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        pytest.skip("it compares when all tests are collected")
    assert document(text, faults) == text, again


def test_a_row_names_its_area_once() -> None:
    faults = [Fault("a", "x", "h", "s", "v"), Fault("a", "y", "h", "s", "v"), Fault("b", "z", "h", "s", "v")]
    assert table(faults).splitlines()[2:] == [
        "| **a** | x | h | s | v |",
        "|  | y | h | s | v |",
        "| **b** | z | h | s | v |",
    ]
