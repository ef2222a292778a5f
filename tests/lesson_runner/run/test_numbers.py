"""Numbers as programs print them for people."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.run.numbers import is_like_number, read_number

NBSP, THIN, NARROW, MINUS = "\u00a0", "\u2009", "\u202f", "\u2212"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("59,061", 59061),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1.234.567", 1234567),
        ("1,234,567", 1234567),
        ("12,34,567", 1234567),
        ("1,85", 1.85),
        ("4,3521", 4.3521),
        ("0,5", 0.5),
        ("0,123", 0.123),
        (",5", 0.5),
        ("1234,567", 1234.567),
        ("1.234", 1.234),
        (".5", 0.5),
        ("5.", 5),
        ("1'234.5", 1234.5),
        ("1\u2019234,5", 1234.5),
        ("1 234,5", 1234.5),
        (f"1{NBSP}234{NBSP}567", 1234567),
        (f"1{NARROW}234,5", 1234.5),
        (f"1{THIN}234", 1234),
        ("1_000", 1000),
        ("1e-3", 0.001),
        ("1,5E+3", 1500),
        (f"{MINUS}2,5", -2.5),
        ("-2", -2),
        ("+3", 3),
        ("12%", 12),
        ("12,5 %", 12.5),
        ("1.85,", 1.85),
        (" 7;", 7),
        ("-inf", -math.inf),
    ],
)
def test_a_number(text: str, number: float) -> None:
    assert is_like_number(text)
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "1.5k",
        "12 ms",
        "1,2,3",
        "1,23,45",
        "1.2.3",
        "1,234.567,8",
        "12,34.5",
        "1.23,456.7",
        "1 2",
        "1'23",
        "1__0",
        "_1",
        "0x1F",
        "1:30",
        "3/8",
        "--2",
        "1e",
        "1,234 567",
    ],
)
def test_what_is_not_certain_is_not_guessed(text: str) -> None:
    assert is_like_number(text)
    with pytest.raises(ValueError, match="without doubt"):
        read_number(text)


def test_nan() -> None:
    assert math.isnan(read_number("NaN"))


@pytest.mark.parametrize("text", ["", "soon", "nano", "information", "%", "-"])
def test_words_are_not_like_numbers(text: str) -> None:
    assert not is_like_number(text)


@given(
    st.integers(1000, 10**12),
    st.integers(0, 99),
    st.sampled_from([",.", ".,", "'.", "',", " ,", " .", f"{NBSP},", f"{NARROW},", "_."]),
)
def test_digits_in_groups_with_a_decimal_mark(whole: int, cents: int, marks: str) -> None:
    grouped = f"{whole:,}".replace(",", marks[0])
    assert read_number(f"{grouped}{marks[1]}{cents:02}") == whole + cents / 100


@given(st.floats(allow_nan=False))
def test_every_number_that_python_prints(number: float) -> None:
    assert read_number(repr(number)) == number
    assert read_number(f"{number:.3f}") == float(f"{number:.3f}")
