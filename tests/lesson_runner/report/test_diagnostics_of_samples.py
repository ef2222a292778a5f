"""The diagnostics of all bad samples at once, in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.report.test_diagnostics_github import commands
from tests.lesson_runner.report.test_diagnostics_sarif import validator

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.report.formats import DIAGNOSTICS

BAD = Path(__file__).parents[2] / "samples" / "bad"
Lesson = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.parametrize("form", DIAGNOSTICS.names)
def test_all_formats_have_the_same_diagnostics(lesson: Lesson, form: str) -> None:
    wanted = lesson("validate", BAD, "--json").json
    said = lesson("validate", BAD, "--format", form)
    places = [(item["rule"], item["line"], item["column"]) for item in wanted["findings"]]
    assert said.code == 1
    if form == "json":
        assert json.loads(said.out) == wanted
        assert list(validator_for(load_schema("findings")).iter_errors(wanted)) == []
    elif form == "text":
        heads = [row for row in said.out.splitlines() if row.startswith(f"{BAD}/")]
        assert [row.rsplit(" [", 1)[1].rstrip("]") for row in heads] == [rule for rule, _, _ in places]
        assert f"{len(wanted['lessons'])} lessons, {wanted['errors']} errors, " in said.out
    elif form == "github":
        found = [properties for _, properties, _ in commands(said.out)]
        assert [(item["title"], int(item["line"]), int(item["col"])) for item in found] == places
    else:
        log = json.loads(said.out)
        assert list(validator().iter_errors(log)) == []
        regions = [
            (item["ruleId"], item["locations"][0]["physicalLocation"]["region"])
            for item in log["runs"][0]["results"]
        ]
        assert [(rule, place["startLine"], place["startColumn"]) for rule, place in regions] == places
