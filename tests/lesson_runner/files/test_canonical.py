"""Canonical JSON, and JSON that all readers understand in the same way."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.files.canonical import MAX_DEPTH, canonical, digest_of, parse_strict_json


@pytest.mark.parametrize(
    ("data", "written"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ({1: 2, None: 3}, '{"1":2,"None":3}'),
        ((1, (2, [])), "[1,[2,[]]]"),
        ([1.0, 0.5, -0.0, 1e-7], "[1,0.5,0,1e-7]"),
        ([1e17, float(2**53), 1e21], '["100000000000000000","9007199254740992","1000000000000000000000"]'),
        ([math.nan, math.inf, -math.inf], "[null,null,null]"),
        (
            [2**53 - 1, 2**53, -(2**53) + 1, -(2**53)],
            '[9007199254740991,"9007199254740992",-9007199254740991,"-9007199254740992"]',
        ),
        ([True, False], "[true,false]"),
        (["é", "\ud800"], '["é","\\\\ud800"]'),
        ({"\udcff": 1}, '{"\\\\udcff":1}'),
        ([b"x", {1}], '["b\'x\'","{1}"]'),
        ({}, "{}"),
    ],
)
def test_canonical_form(data: Any, written: str) -> None:
    assert canonical(data).decode() == written
    assert digest_of(data) == hashlib.sha256(written.encode()).hexdigest()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' appears twice in one object"),
        ('[{"x": {"k": 1, "b": 2, "b": 3, "k": 4}}]', "the key 'k' appears twice in one object"),
        ("[NaN]", "NaN is not JSON"),
        ("-Infinity", "-Infinity is not JSON"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "it is nested too deeply"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "it is nested too deeply"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
    ids=lambda item: item[:20],
)
def test_json_that_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # all of the message is compared
        parse_strict_json(text.encode())
    assert str(caught.value) == why


DEEP = ["[" * MAX_DEPTH + "]" * MAX_DEPTH, '{"a":' * (MAX_DEPTH - 1) + "1" + "}" * (MAX_DEPTH - 1)]


@pytest.mark.parametrize("text", DEEP)
def test_the_nesting_limit(text: str) -> None:
    assert parse_strict_json(text.encode()) == json.loads(text)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_strict_json(f"[{text}]".encode())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.slow
@given(JSON)
def test_canonical_json_round_trips(data: Any) -> None:
    assert canonical(parse_strict_json(canonical(data))) == canonical(data)
    assert parse_strict_json(json.dumps(data).encode()) == data


def test_a_duplicate_key_is_found_quickly() -> None:
    keys = ",".join(f'"{number}":0' for number in range(200_000))
    with pytest.raises(ValueError, match="the key '199999' appears twice"):
        parse_strict_json(f'{{{keys},"199999":0}}'.encode())


def test_json_with_too_many_values() -> None:
    with pytest.raises(ValueError, match="more than 1,000,000 values"):
        parse_strict_json(b"[" + b"[]," * 600_000 + b"0]")
