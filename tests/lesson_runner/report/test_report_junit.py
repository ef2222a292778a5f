"""
A run as JUnit XML: read by the library that tools of continuous integration use, and held against what the
schemas of Ant and Jenkins have in common. No package brings one of these schemas, so the checks say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from junitparser import Error, Failure, JUnitXml, Skipped
from tests.lesson_runner.report.stories import TEXTS, retold, run, story

from lesson_runner.report.runs import render

ATTRIBUTES: Mapping[str, tuple[set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "skipped"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp"}),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname"}, {"time"}),
    "skipped": (set(), {"message"}),
    "failure": ({"type"}, {"message"}),
    "error": ({"type"}, {"message"}),
    "system-out": (set(), set()),
}
"""Required and optional attributes."""
CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"(properties )?(testcase )*(system-out )?",
    "properties": r"(property )+",
    "testcase": r"(properties )?((skipped|failure|error) )?(system-out )?",
}


def checked(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed = ATTRIBUTES[element.tag]
        assert required <= set(element.attrib) <= required | allowed, element.tag
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), children), (element.tag, children)
        for name in ("tests", "failures", "errors", "skipped"):
            assert element.get(name, "0").isdigit()
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))
    return root


@pytest.mark.slow
def test_cases_and_properties() -> None:
    text = render(story(), "junit")
    checked(text)
    (suite,) = JUnitXml.fromstring(text.encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 1, 1, 3)
    assert suite.name == "sample"
    results = {case.name: [type(item) for item in case.result] for case in suite}
    assert results == {
        "good": [],
        "bad": [Failure],
        "may-fail": [Skipped],
        "broken": [Error],
        "blocked": [Skipped],
        "board": [Skipped],
        "flood": [],
    }
    named = suite.properties()  # type: ignore[no-untyped-call]  # junitparser has no types here
    properties = {item.name: item.value for item in named}
    assert properties["labels"] == "emulated"
    assert properties["claims"] == "1 reproduced, 1 worse, 1 not evaluated"


def test_a_failure_lists_all_unmet_expectations() -> None:
    root = checked(render(story(), "junit"))
    failure = root.find(".//testcase[@name='bad']/failure")
    assert failure is not None
    assert "that | `one`" in (failure.get("message") or "")
    assert (failure.text or "").count("expected ") == 2
    optional = root.find(".//testcase[@name='may-fail']/skipped")
    assert optional is not None
    assert (optional.get("message") or "").startswith("failed, but optional: expected output with")


def test_metrics_and_times() -> None:
    root = checked(render(story(), "junit"))
    case = root.find(".//testcase[@name='good']")
    assert case is not None
    properties = {item.get("name"): item.get("value") for item in case.iter("property")}
    assert properties["metric.loss"] == "1.5"
    record, _ = run()
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.get("timestamp") == record["started"][:19]


def test_output_is_shortened_and_clean() -> None:
    root = checked(render(story(), "junit"))
    output = root.find(".//testcase[@name='flood']/system-out")
    assert output is not None
    assert output.text is not None
    assert output.text.startswith("first �red� ")
    assert "bytes left out" in output.text
    assert output.text.endswith("last & <b>end</b>")


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_any_text_makes_xml(texts: dict[str, str]) -> None:
    root = checked(render(retold(texts), "junit"))
    assert len(root.findall(".//testcase")) == 7
