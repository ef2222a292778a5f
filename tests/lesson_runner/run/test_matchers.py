"""What is found in the output of a step, and what a verdict says about output that only looks as expected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.model import Gap
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.matchers import TEXT_MATCHERS
from lesson_runner.run.printed import Printed

GAP = {"output": Gap(100, 2)}
"""100 lines are missing after the second."""


def verdict(matcher: str, argument: Any, output: str, **printed: Any) -> tuple[bool, str]:
    found = TEXT_MATCHERS[matcher](argument, Printed(output, **printed))
    assert found.matcher == matcher
    return found.passed, found.actual


@pytest.mark.parametrize(
    ("matcher", "argument", "good"),
    [
        ("contains", "first\nlast\n", True),
        ("contains", "last\n\n", True),
        ("contains", "\n\n", False),
        ("not_contains", "last\n", False),
        ("not_contains", "lost\n", True),
        ("regex", "^la\\w+$\n", True),
        ("regex", "^first$\n^last$\n", True),
        ("regex", "first\\\n", True),
        ("regex", "last\\\n", False),
    ],
)
def test_line_breaks_at_the_end_of_what_is_expected(matcher: str, argument: str, good: bool) -> None:
    assert verdict(matcher, argument, "first\nlast")[0] is good


@pytest.mark.parametrize("argument", ["\n", " \n", "\n\n"])
def test_blanks_are_not_found_everywhere(argument: str) -> None:
    assert verdict("contains", argument, "one line")[0] is False


@pytest.mark.parametrize(
    ("wanted", "output", "line", "column", "has", "expects"),
    [
        ("a b", "x\na\tb", 2, 2, "a tab", "a space"),
        ("a  b", "a b", 1, 3, "'b'", "a space"),
        ("a b", "a  b", 1, 3, "a space", "'b'"),
        ("10 GB", "of 10\u00a0GB free", 1, 6, "no-break space (U+00A0)", "a space"),
        ("caf\u00e9 ok", "cafe\u0301 ok", 1, 4, "'e'", "latin small letter e with acute (U+00E9)"),
        ("zero", "ze\u200bro", 1, 3, "zero width space (U+200B)", "'r'"),
        ("end \nnext", "end\nnext", 1, 4, "a line break", "a space"),
        ("\u2026 done", "... done", 1, 1, "'.'", "horizontal ellipsis (U+2026)"),
    ],
)
def test_text_that_only_looks_like_the_expected_one(
    wanted: str, output: str, line: int, column: int, has: str, expects: str
) -> None:
    said = f"line {line} looks the same, but has {has} at column {column} where {expects} is expected"
    assert verdict("contains", wanted, output) == (False, said)


@pytest.mark.parametrize(
    ("wanted", "output", "hint"),
    [
        ("a b", "x\n  a\tb", "line 2 looks the same, but has a tab at column 4 where a space is expected"),
        ("a b", "a\tb c\n", "in: a\tb c"),
        ("a b", "a\u00a0b ", "looks the same, but has no-break space (U+00A0) at column 2"),
        ("gam", "gamma", "the nearest is line 1: 'gamma'"),
    ],
)
def test_a_line_that_only_looks_like_the_expected_one(wanted: str, output: str, hint: str) -> None:
    passed, actual = verdict("lines", [wanted], output)
    assert not passed
    assert hint in actual


@given(st.text(alphabet="ab \t\u00a0\n\u0301e\u00e9"), st.text(alphabet="ab \t\u00a0\n\u0301e\u00e9"))
def test_a_difference_is_named_only_where_there_is_one(wanted: str, output: str) -> None:
    passed, actual = verdict("contains", wanted, output)
    if "looks the same" in actual:
        assert not passed
        has, expects = actual.split(" has ")[1].split(" where ")
        assert has.split(" at column ")[0] != expects.removesuffix(" is expected")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["alpha", "gamma", "beta"], "no line 'beta' below line 3; it is line 2, above lines"),
        (["alpha", "gama"], "no line 'gama' below line 1; the nearest is line 3: 'gamma'"),
        (["something else"], "no line 'something else' in: alpha"),
    ],
)
def test_a_line_that_is_not_found(wanted: list[str], said: str) -> None:
    passed, actual = verdict("lines", wanted, "alpha\nbeta\ngamma")
    assert not passed
    assert actual.startswith(said)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("old flag\n{}", "line 1, column 1 is 'old flag'; the JSON begins in line 2"),
        ("[1] of\n  [2]", "the JSON ends before line 1, column 5, and there is 'of'"),
        ('{"a": 1}\nbye', "the JSON ends before line 2, column 1, and there is 'bye'"),
        ('{"a": 1,\n "b": x}', "Expecting value in line 2, column 7, where there is 'x}'"),
        ('{"a": ', "Expecting value in line 1, column 7, where there is the end of the output"),
        ("", "no output"),
    ],
)
def test_where_json_stops(text: str, where: str) -> None:
    assert verdict("json", {}, text) == (False, f"not JSON: {where}")


def test_json_reads_standard_output_alone() -> None:
    assert verdict("json", {"type": "object"}, "warning\n{}", stdout="{}")[0]
    assert not verdict("json", {"type": "object"}, "{}", stdout="")[0]


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2])
@given(data=st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_json_with_other_text_is_not_json(place: int, data: Any) -> None:
    text = json.dumps(data)
    parts = [["note", text], [text], [text, "note"]][place]
    assert verdict("json", {}, "\n".join(parts))[0] is (place == 1)


@pytest.mark.parametrize(
    ("matcher", "argument", "good"),
    [
        ("contains", "b", True),
        ("contains", "y", True),
        ("contains", "b\nx", False),
        ("regex", "^x$", True),
        ("regex", r"b\s+x", False),
        ("regex", r"\A(?!.*error)", False),
        ("lines", ["a", "y"], True),
        ("lines", ["a", "error"], False),
        ("not_contains", "error", False),
        ("not_contains", "a", False),
        ("json", {}, False),
    ],
)
def test_what_may_be_among_lines_that_were_not_kept(matcher: str, argument: Any, good: bool) -> None:
    text = "[1,\n2]" if matcher == "json" else "a\nb\nx\ny"
    passed, actual = verdict(matcher, argument, text, gaps=GAP)
    assert passed is good
    assert good or argument == "a" or "100 lines in the middle of the output were not kept" in actual


def test_lines_of_standard_error_that_were_not_kept_do_not_concern_json() -> None:
    assert verdict("json", {}, "a\nb\nx", stdout="{}", gaps=GAP)[0]
    assert not verdict("json", {}, "a\nb\nx", stdout="[1,\n2]", gaps={"stdout": Gap(5, 1)})[0]


TEXT = "x=1\nx=2\nx=soon\nx=3 y=1.5k\nz=2\nz=2.0\nz=\n"


@pytest.mark.parametrize(
    ("capture", "number"),
    [
        (r"x=(\S+)", 3),
        ({"regex": r"x=(\S+)"}, 3),
        ({"regex": r"x=(\S+)", "take": "last"}, 3),
        ({"regex": r"x=(\S+)", "take": "first"}, 1),
        ({"regex": r"x=(\S+)", "take": "all"}, None),
        ({"regex": r"z=(\S+)", "take": "all"}, 2),
        ({"regex": r"z=(\S+)?", "take": "first"}, 2),
        ("x=(\\d)$\n", 2),
        (r"y=(\S+)", None),
        (r"w=(\S+)", None),
    ],
)
def test_which_match_is_the_metric(capture: Any, number: float | None) -> None:
    numbers, reasons = capture_metrics({"n": capture}, TEXT)
    assert numbers == ({} if number is None else {"n": number})
    assert list(reasons) == ([] if numbers else ["n"])


@pytest.mark.parametrize(
    ("pattern", "says"), [(r"y=(\S+)", "'1.5k'"), (r"w=(\S+)", "nothing"), (r"(?s)x=(.*)\Z", "doubt")]
)
def test_why_a_metric_is_not_measured(pattern: str, says: str) -> None:
    assert says in capture_metrics({"n": pattern}, TEXT)[1]["n"]


@pytest.mark.parametrize(
    ("take", "text", "number"),
    [
        ("last", "x=1\n\nx=2\n", 2),
        ("last", "x=1\n\n\n", None),
        ("first", "x=1\n\nx=2\n", 1),
        ("first", "\n\nx=2\n", None),
        ("all", "x=1\n\nx=1\n", None),
    ],
)
def test_a_match_that_may_be_among_lines_that_were_not_kept(
    take: str, text: str, number: float | None
) -> None:
    numbers, reasons = capture_metrics({"n": {"regex": r"x=(\d)", "take": take}}, text, GAP["output"])
    assert numbers == ({} if number is None else {"n": number})
    assert bool(reasons) is (number is None)
