"""Durations, numbers and harmless text."""

from __future__ import annotations

import math
import sys

import pytest

from lesson_runner.cli.output import filter_workflow_commands
from lesson_runner.report.text import duration, line, number, safe


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (1234567.0, "1,234,567"),
        (1e15, "1,000,000,000,000,000.0"),
        (1234.56, "1,234.6"),
        (0.123456, "0.1235"),
        (None, "not finite"),
        (math.nan, "not finite"),
        (-math.inf, "not finite"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_terminal_escapes() -> None:
    assert safe("a\x1b[31mb\x1b]0;title\x07c\r\nd\re\x07\ud800") == "a�b�c\nd\ne��"


@pytest.mark.parametrize(
    "text",
    ["അവന്\u200d വന്നു", "\u0645\u06cc\u200c\u062e\u0648", "क्\u200dष", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3"],
)
def test_joiners_in_scripts_and_emoji_are_kept(text: str) -> None:
    assert line(text) == text


@pytest.mark.parametrize(
    "text", ["é\u200c\u200dé", "é\ufe0f\ufe0fé", "é\U0001bca0é", "a\u200db", "é\U00013437"]
)
def test_invisible_characters_are_replaced(text: str) -> None:
    assert "\ufffd" in line(text)


def test_a_command_after_many_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    with filter_workflow_commands():
        sys.stdout.write(" " * 300)
        sys.stdout.write("::set-output name=a::b\n")
    assert capsys.readouterr().out.lstrip().startswith(": :")
