"""The pages that are made from the code are up to date."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from tests.reliability import FAULTS, Fault
from tools.docs import doctor, emulation, reference, reliability, rules

from lesson_runner.validate.rules.table import RULES
from lesson_tenstorrent.table import CHECKS, CHECKS_BY_ID

AGAIN = "write it again: python -m tools.docs"


@pytest.mark.parametrize("page", [rules, doctor, emulation, reference], ids=lambda page: page.PAGE.stem)
def test_a_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text("utf-8") == page.text(), AGAIN


def test_the_table_of_faults_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        pytest.skip("it compares when all tests are collected")
    assert reliability.PAGE.read_text("utf-8") == reliability.text(request.config.stash[FAULTS]), AGAIN


def test_every_rule_is_in_its_page_once() -> None:
    found = re.findall(r"^\| \[`([\w.-]+)`\]\(.*?\) \| (\w+) \| (.*) \|$", rules.text(), re.MULTILINE)
    assert sorted(found) == sorted((rule.id, rule.severity, rule.summary) for rule in RULES)


def test_every_check_is_in_its_page_once() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+) \| (.+) \| (.+) \|$", doctor.text(), re.MULTILINE)
    assert [row[0] for row in rows] == [check.id for check in CHECKS]
    for (_, about, why, _), check in zip(rows, CHECKS, strict=True):
        assert len(about) > 10
        assert why == check.why


def test_symptoms_lead_to_checks_that_exist() -> None:
    assert {name for _, ids in doctor.SYMPTOMS for name in ids} <= set(CHECKS_BY_ID)


def test_every_public_field_is_described() -> None:
    rows = [row for row in reference.text().splitlines() if row.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith(" |  |")] == []


def test_a_row_of_the_table_of_faults_names_its_area_once() -> None:
    faults = [Fault("a", "x", "h", "s", "v"), Fault("a", "y", "h", "s", "v"), Fault("b", "z", "h", "s", "v")]
    assert reliability.table(faults).splitlines()[2:] == [
        "| **a** | x | h | s | v |",
        "|  | y | h | s | v |",
        "| **b** | z | h | s | v |",
    ]
