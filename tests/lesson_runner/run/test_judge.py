"""Judging: each matcher with data that satisfies it and data that does not; claims with their reasons."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Claim, Expectation
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.files import inspect_files, load_file_facts, save_file_facts
from lesson_runner.run.hashing import Hasher
from lesson_runner.run.judge import Conditions, Produced, evaluate_claim, judge

TEXT = "first line\n  second: 2 \n\nlast line"
SHA = hashlib.sha256(b"abc").hexdigest()
NUMBERS = st.floats() | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf])


def passes(matcher: str, argument: Any, **produced: Any) -> bool:
    verdicts = judge([Expectation(matcher, argument)], Produced(**produced), {})
    verdict = next(item for item in verdicts if item.matcher == matcher)
    assert verdict.expected
    assert verdict.actual
    return verdict.passed


@pytest.mark.parametrize(
    ("matcher", "argument", "good"),
    [
        ("contains", "second: 2", True),
        ("contains", "Second", False),
        ("contains", "line\n  second", True),
        ("not_contains", "Traceback", True),
        ("not_contains", "second", False),
        ("not_contains", "line\n  second", False),
        ("regex", "^last", True),
        ("regex", r"second:\s+\d$", False),
        ("regex", r"second:\s+\d", True),
        ("lines", ["first line", "last line"], True),
        ("lines", ["last line", "first line"], False),
        ("lines", ["first line", "...", "second: ..."], True),
        ("lines", ["... line", "... line"], True),
        ("lines", ["... line", "... line", "... line"], False),
        ("lines", ["first"], False),
        ("lines", ["  first line  ", ""], True),
        ("lines", ["first.line"], False),
        ("lines", ["second:", "2"], False),
    ],
)
def test_text(matcher: str, argument: Any, good: bool) -> None:
    assert passes(matcher, argument, output=TEXT) is good


@pytest.mark.parametrize("matcher", ["contains", "regex", "json"])
def test_no_output(matcher: str) -> None:
    argument = {"type": "object"} if matcher == "json" else "x"
    verdict = judge([Expectation(matcher, argument)], Produced(), {})[0]
    assert not verdict.passed
    assert verdict.actual.endswith("no output")


def test_a_verdict_shows_the_end_of_a_long_output() -> None:
    verdict = judge([Expectation("contains", "x")], Produced(output="-" * 1000 + "the end"), {})[0]
    assert verdict.actual == "…" + "-" * 193 + "the end"


@pytest.mark.parametrize(("code", "good"), [(0, False), (3, True), (None, False)])
def test_exit(code: int | None, good: bool) -> None:
    assert passes("exit", 3, exit_code=code) is good


def test_a_process_must_exit_with_0_unless_told_otherwise() -> None:
    verdicts = judge([Expectation("contains", "a")], Produced(output="a", exit_code=1), {})
    assert [(item.matcher, item.passed) for item in verdicts] == [("exit", False), ("contains", True)]
    assert [item.passed for item in judge([], Produced(exit_code=0), {})] == [True]
    assert judge([], Produced(), {}) == ()


@pytest.mark.parametrize(
    ("output", "schema", "good"),
    [
        ('{"a": 1}', {"required": ["a"]}, True),
        ('{"a": 1}', {"required": ["b"]}, False),
        ("[1]", {"type": "object"}, False),
        ("not json", {}, False),
        ("{}", {"$ref": "#/nowhere"}, False),
        ("{}", {"$ref": "https://example.invalid/schema"}, False),
    ],
)
def test_json(output: str, schema: dict[str, Any], good: bool) -> None:
    assert passes("json", schema, output=output) is good


@pytest.mark.parametrize(
    ("argument", "good"),
    [
        ({"path": "a.txt"}, True),
        ({"path": "b.txt"}, False),
        ({"path": "sub"}, False),
        ({"path": "a.txt", "min_bytes": 3}, True),
        ({"path": "a.txt", "min_bytes": 4}, False),
        ({"path": "a.txt", "sha256": SHA}, True),
        ({"path": "a.txt", "sha256": "0" * 64}, False),
        ({"path": "sub/../a.txt"}, True),
        ({"path": "../outside.txt"}, False),
        ({"path": "link.txt"}, False),
        ({"path": "/etc/passwd"}, False),
    ],
)
def test_file(tmp_path: Path, argument: dict[str, Any], good: bool) -> None:
    folder = tmp_path / "files"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"abc")
    (tmp_path / "outside.txt").write_bytes(b"abc")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    files = inspect_files([Expectation("file", argument)], folder, Hasher(None))
    assert passes("file", argument, files=files) is good
    save_file_facts(files, tmp_path)
    assert passes("file", argument, files=load_file_facts(Evidence(tmp_path, tmp_path))) is good


@given(NUMBERS, NUMBERS, NUMBERS)
def test_bounds_of_a_metric(value: float, low: float, high: float) -> None:
    """NaN is never within bounds, however wide; and no number is within bounds that are NaN."""

    def good(**bounds: float) -> bool:
        return passes("metric", {"name": "loss", **bounds}, metrics={"loss": value})

    finite = math.isfinite(value)
    assert good(min=low) == (finite and value >= low)
    assert good(max=high) == (finite and value <= high)
    assert good(min=low, max=high) == (finite and low <= value <= high)
    assert good(min=-math.inf, max=math.inf) == finite


def test_a_metric_that_was_not_measured() -> None:
    expectation = Expectation("metric", {"name": "loss", "min": -math.inf})
    verdict = judge([expectation], Produced(metrics={"speed": 1.0}), {})[0]
    assert (verdict.passed, verdict.actual) == (False, "not measured (measured: speed)")


def test_conditional_expectations() -> None:
    pinned = Expectation("contains", "a", {"data.pinned": True})
    other = Expectation("contains", "b", {"data.pinned": False})
    facts: dict[str, Any] = {"data": {"pinned": True}}
    assert [item.expected for item in judge([pinned, other], Produced(output="a"), facts)] == ["a"]
    assert [item.matcher for item in judge([pinned], Produced(output="a"), {"data": {}})] == ["when"]
    assert not judge([pinned], Produced(output="a"), {})[0].passed


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("loss=1.5\nloss=1.25\n", {"loss": 1.25}),
        ("loss=1,234.5", {"loss": 1234.5}),
        ("loss=1.5\nloss=soon", {"loss": 1.5}),
        ("nothing", {}),
    ],
)
def test_capture(text: str, numbers: dict[str, float]) -> None:
    assert capture_metrics({"loss": r"^loss=(\S+)"}, text)[0] == numbers


@pytest.mark.parametrize(
    ("bounds", "value", "better", "result"),
    [
        ({"min": 1, "max": 2}, 1.5, None, "reproduced"),
        ({"min": 1, "max": 2}, 0.5, None, "better"),
        ({"min": 1, "max": 2}, 2.5, None, "worse"),
        ({"min": 1, "max": 2}, 2.5, "higher", "better"),
        ({"min": 1, "max": 2}, 0.5, "higher", "worse"),
        ({"max": 2}, 1.5, None, "reproduced"),
        ({"max": 2}, 2.5, None, "worse"),
        ({"max": 2}, 2.5, "higher", "better"),
        ({"min": 2}, 2.5, None, "reproduced"),
        ({"min": 2}, 1.5, None, "worse"),
        ({"min": 2}, 1.5, "lower", "better"),
    ],
)
def test_claims(bounds: dict[str, Any], value: float, better: str | None, result: str) -> None:
    conditions = {"better": better} if better else {}
    claim = Claim("metric", {"name": "loss", **bounds}, "a page", conditions)
    assert evaluate_claim(claim, {"loss": value}, Conditions()).result == result


@pytest.mark.parametrize(
    ("conditions", "metrics", "reason"),
    [
        ({}, {}, "loss was not measured"),
        ({}, {"loss": math.nan}, "loss was not measured"),
        ({}, {"loss": math.inf}, "loss was not measured"),
        ({"profile": ["full"]}, {"loss": 1.0}, "the claim is about profile full; this run used quick"),
        ({"hardware": ["n300", "t3k"]}, {"loss": 1.0}, "the claim is about n300 or t3k; this run used n150"),
        ({"with": {"steps": 3}}, {"loss": 1.0}, "the claim is about steps 3; this run used 4"),
        (
            {"facts": {"data.pinned": True}},
            {"loss": 1.0},
            "the claim is about data.pinned True; this run had None",
        ),
    ],
)
def test_claims_that_do_not_apply(conditions: dict[str, Any], metrics: dict[str, float], reason: str) -> None:
    now = Conditions("quick", ["n150"], {"steps": 4}, {"data": {}})
    claim = Claim("metric", {"name": "loss", "max": 2}, "a page", conditions)
    verdict = evaluate_claim(claim, metrics, now)
    assert (verdict.result, verdict.reason) == ("not evaluated", reason)


def test_a_claim_that_applies() -> None:
    conditions = {
        "profile": ["quick"],
        "hardware": ["n150"],
        "with": {"steps": 4},
        "facts": {"data.pinned": 1},
    }
    now = Conditions("quick", ["n150"], {"steps": 4}, {"data": {"pinned": 1}})
    verdict = evaluate_claim(
        Claim("metric", {"name": "loss", "max": 2}, "a page", conditions), {"loss": 1.0}, now
    )
    assert (verdict.claim, verdict.source, verdict.result, verdict.reason) == (
        "loss <= 2",
        "a page",
        "reproduced",
        "",
    )
