"""The exact texts of verdicts: readers see what was expected and what was found."""

from __future__ import annotations

from typing import Any

import pytest

from lesson_runner.model import Claim, ClaimVerdict, Expectation, Verdict
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.files import FileFacts
from lesson_runner.run.judge import Conditions, Produced, evaluate_claim, judge

TEXT = "one line\nanother line\nlast"
THERE = FileFacts(3, "a" * 64)


@pytest.mark.parametrize(
    ("matcher", "argument", "produced", "expected", "actual", "passed"),
    [
        ("exit", 3, {"exit_code": 4}, "3", "4", False),
        ("exit", 3, {}, "3", "no process was run", False),
        ("contains", "another", {"output": TEXT}, "another", "found", True),
        ("contains", "x", {"output": "some\n"}, "x", "some", False),
        ("contains", "x", {"output": "-" * 200}, "x", "-" * 200, False),
        ("contains", "x", {"output": "-" * 201}, "x", "…" + "-" * 200, False),
        ("not_contains", "nothing", {"output": TEXT}, "nothing", "not found", True),
        ("not_contains", "another", {"output": TEXT}, "another", "another line", False),
        ("not_contains", "line\nlast", {"output": TEXT}, "line\nlast", "found", False),
        ("regex", "an.ther", {"output": TEXT}, "an.ther", "another", True),
        ("regex", "x", {"output": "some"}, "x", "some", False),
        ("lines", ["one line", "last"], {"output": TEXT}, "one line\nlast", "all found", True),
        ("lines", ["", "...", "x", "y"], {"output": "some"}, "\n...\nx\ny", "no line 'x' in: some", False),
        (
            "json",
            {"type": "array", "minItems": 1},
            {"output": "[1]"},
            '{"minItems": 1, "type": "array"}',
            "matches",
            True,
        ),
        (
            "json",
            {"type": "array"},
            {"output": "{}"},
            '{"type": "array"}',
            "{} is not of type 'array'",
            False,
        ),
        (
            "metric",
            {"name": "a", "min": 1, "max": 2},
            {"metrics": {"a": 1.5}},
            "1 <= a <= 2",
            "a = 1.5",
            True,
        ),
        (
            "metric",
            {"name": "a", "max": 2500, "unit": "s"},
            {"metrics": {"a": 2501.0}},
            "a <= 2,500 s",
            "a = 2,501 s",
            False,
        ),
        (
            "metric",
            {"name": "a", "min": 0.1},
            {"metrics": {}},
            "0.1 <= a",
            "not measured (measured: none)",
            False,
        ),
        (
            "metric",
            {"name": "a"},
            {"metrics": {"c": 1.0, "b": 2.0}},
            "a",
            "not measured (measured: b, c)",
            False,
        ),
        (
            "file",
            {"path": "f", "min_bytes": 4},
            {"files": {"f": THERE}},
            '{"min_bytes": 4, "path": "f"}',
            f"3 bytes, sha256 {'a' * 64}",
            False,
        ),
        ("file", {"path": "f"}, {"files": {}}, '{"path": "f"}', "the file was not checked", False),
        (
            "file",
            {"sha256": "0", "path": "f"},
            {"files": {"f": FileFacts(problem="no such file")}},
            '{"path": "f", "sha256": "0"}',
            "no such file",
            False,
        ),
    ],
)
def test_a_verdict(
    matcher: str, argument: Any, produced: dict[str, Any], expected: str, actual: str, passed: bool
) -> None:
    (verdict,) = (
        item
        for item in judge([Expectation(matcher, argument)], Produced(**produced), {})
        if item.matcher == matcher
    )
    assert verdict == Verdict(matcher, expected, actual, passed)


def test_an_empty_file_counts() -> None:
    empty = {"f": FileFacts(0, "e" * 64)}
    assert judge([Expectation("file", {"path": "f"})], Produced(files=empty), {})[0].passed


def test_when_no_expectation_applies() -> None:
    only = Expectation("contains", "a", {"data": "real"})
    said = Verdict("when", "an expectation that applies", "no 'when' matches the facts of this run", False)
    assert judge([only], Produced(output="a"), {"data": "made up"}) == (said,)


def test_one_value_of_a_list_of_facts_is_enough() -> None:
    some = Expectation("contains", "a", {"data": ["real", "mine"]})
    for data, matcher in (("mine", "contains"), ("other", "when"), (["real", "mine"], "when")):
        assert [item.matcher for item in judge([some], Produced(output="a"), {"data": data})] == [matcher]


def test_lines_after_an_ellipsis() -> None:
    for filler in ("", "..."):
        wanted = Expectation("lines", [filler, "missing"])
        assert not judge([wanted], Produced(output="here"), {})[0].passed


LOSS = {"name": "loss", "min": 1.0, "max": 2.0}


@pytest.mark.parametrize(
    ("argument", "value", "conditions", "result"),
    [
        (LOSS, 1.0, {}, "reproduced"),
        (LOSS, 2.0, {}, "reproduced"),
        (LOSS, 0.5, {}, "better"),
        (LOSS, 2.5, {}, "worse"),
        ({"name": "loss", "min": 1.0}, 0.5, {}, "worse"),
        ({"name": "loss", "max": 2.0}, 2.5, {}, "worse"),
    ],
)
def test_an_evaluated_claim(argument: Any, value: float, conditions: Any, result: Any) -> None:
    shown = f"{value:g}"
    claim = Claim("metric", argument, "a page", conditions)
    text = {"min": "1 <= loss", "max": "loss <= 2"}.get(
        " ".join(sorted(set(argument) - {"name"})), "1 <= loss <= 2"
    )
    assert evaluate_claim(claim, {"loss": value}, Conditions()) == ClaimVerdict(text, "a page", shown, result)


@pytest.mark.parametrize(
    ("conditions", "metrics", "now", "shown", "reason"),
    [
        ({}, {}, Conditions(), "", "loss was not measured"),
        ({}, {"loss": float("inf")}, Conditions(), "inf", "loss was not measured"),
        (
            {"profile": ["full", "long"]},
            {"loss": 1.5},
            Conditions("quick"),
            "1.5",
            "the claim is about profile full or long; this run used quick",
        ),
        (
            {"hardware": ["n150"]},
            {"loss": 1.5},
            Conditions(),
            "1.5",
            "the claim is about n150; this run used no board",
        ),
        (
            {"hardware": ["n150", "t3k"]},
            {},
            Conditions(hardware=["p100", "p150"]),
            "",
            "the claim is about n150 or t3k; this run used p100 and p150",
        ),
    ],
)
def test_a_claim_that_is_not_evaluated(
    conditions: Any, metrics: Any, now: Conditions, shown: str, reason: str
) -> None:
    said = evaluate_claim(Claim("metric", LOSS, "a page", conditions), metrics, now)
    assert said == ClaimVerdict("1 <= loss <= 2", "a page", shown, "not evaluated", reason)


def test_an_invalid_number_does_not_hide_an_earlier_one() -> None:
    assert capture_metrics({"loss": r"loss=(\S+)"}, "loss=soon loss=1.5") == ({"loss": 1.5}, {})
    assert capture_metrics({"loss": r"loss=(\S+)?"}, "loss= loss=1.5 loss=") == ({"loss": 1.5}, {})
