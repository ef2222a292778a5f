"""The YAML of lessons: values, their places, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.document import yaml_text
from lesson_runner.document.yaml_text import MAX_ALIASES, MAX_BYTES, MAX_DEPTH, Origin, YamlText, load
from lesson_runner.model import Location

HERE = Path("a.md")
ORIGIN = Origin(HERE, 10, 5, 2)


def read(text: str) -> Any:
    found = load(text, ORIGIN)
    assert found.diagnostics == ()
    return found.data


def refused(text: str, origin: Origin = ORIGIN) -> str:
    """Return ``rule line:column message (fix)`` of the only diagnostic."""
    found = load(text, origin)
    assert (found.data, found.positions) == (None, {})
    (problem,) = found.diagnostics
    place = problem.location
    assert (problem.severity, place.path) == ("error", HERE)
    return f"{problem.rule} {place.line}:{place.column} {problem.message} ({problem.fix})"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("tRue", "tRue"),
        ("~", None),
        ("null", None),
        ("", None),
        ("nUll", "nUll"),
        ("12", 12),
        ("-12", -12),
        ("+1", 1),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1.2.3", "1.2.3"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05"),
        ("2026-01-02x", "2026-01-02x"),
        ("'12'", "12"),
        ('"a\\tb"', "a\tb"),
        ("!!str 12", "12"),
        ("!!binary aGk=", "b'hi'"),
        ("[1, [a, {}], []]", [1, ["a", {}], []]),
        ("{1: a, true: b, 2026-01-02: c}", {"1": "a", "true": "b", "2026-01-02": "c"}),
        ("9" * 300, int("9" * 300)),
    ],
)
def test_a_value(written: str, value: Any) -> None:
    found = read(f"key: {written}")["key"]
    assert (found, type(found)) == (value, type(value))


def test_values_that_are_not_numbers() -> None:
    assert math.isnan(read("key: .nan")["key"])


def test_empty_yaml() -> None:
    assert load("", ORIGIN) == load("# a note\n", ORIGIN) == YamlText(None)


def test_anchors_and_merge_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [*a, {z: 4}], x: 5}\n"
    both = {"x": 1, "y": 2}
    assert read("a: &a {x: 1}\nb: &b {y: 2}\nc:\n  <<: *a\n  <<: *b\n")["c"] == both
    assert read(text) == {"a": both, "b": {"x": 1, "y": 3}, "c": both, "d": {"x": 5, "y": 2, "z": 4}}


def test_places_of_values() -> None:
    found = load("a: 1\nb:\n  - {c: 2}\n  -   d\n", ORIGIN)
    assert found.positions == {
        (): Location(HERE, 10, 5),
        ("a",): Location(HERE, 10, 5),
        ("b",): Location(HERE, 11, 3),
        ("b", 0): Location(HERE, 12, 7),
        ("b", 0, "c"): Location(HERE, 12, 8),
        ("b", 1): Location(HERE, 13, 9),
    }
    assert load("# 1\n\nx", ORIGIN).positions == {(): Location(HERE, 12, 3)}
    assert load("x: y", Origin(HERE, 3)).positions[("x",)] == Location(HERE, 3, 1)
    # Line ends of YAML that are none of an editor.
    assert load("a: b\u2028\nc: d", Origin(HERE, 1)).positions[("c",)] == Location(HERE, 2, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "11:3 the key 'a' appears twice"),
        ("a: {b: 1, c: 2, b: 3}", "10:21 the key 'b' appears twice"),
        ("? [a]\n: b", "10:7 a key must be text"),
        (
            "a: *b",
            "10:8 *name refers to an earlier &name, which does not exist (put the value in single quotes)",
        ),
        (f"a: 1{'0' * 300}", "10:8 a whole number of more than 300 digits"),
        (f"a: -1{'0' * 300}", "10:8 a whole number of more than 300 digits"),
        ("a: !!int x", "10:8 ValueError invalid literal for int() with base 10: 'x'"),
        ("a: !!bool x", "10:8 KeyError 'x'"),
        ("a: 2026-13-01", "10:8 ValueError month must be in 1..12"),
        ("a: !mine b", "10:8 could not determine a constructor for the tag '!mine'"),
        ("a: b\n--- \nc: d", "11:3 but found another document"),
        (
            "a: b: c",
            (
                "10:9 a ': ' where no key is allowed (put a value that contains ': ' in quotes; "
                "begin all keys of a mapping in the same column)"
            ),
        ),
        (
            'a: "\\d"',
            (
                "10:9 in double quotes a backslash begins an escape, and this escape does not exist "
                "(use single quotes, in which a backslash has no special meaning)"
            ),
        ),
        ("a: [0-9]+", "10:13 text after ] (put the value in single quotes, if it is a single text)"),
        ("a: {b: c}  d", "10:16 text after } (put the value in single quotes, if it is a single text)"),
        ("a:\n\t- b", "11:3 a tab; YAML is indented with spaces only (write spaces instead)"),
        ("a: @b", "10:8 a value cannot begin with @ (put the value in single quotes)"),
        ("a: `b`", "10:8 a value cannot begin with ` (put the value in single quotes)"),
        ("a: 'b", "10:8 the quote ' is never closed (close it, or leave it out)"),
        ('a: "b\nc: d', '10:8 the quote " is never closed (close it, or leave it out)'),
        ('a: "b\n--- \nc"', '10:8 the quote " is never closed (close it, or leave it out)'),
        (
            "a: [b]\n  c: d",
            (
                "11:5 a line with the wrong indentation, or text after a value "
                "(begin all keys of a mapping in the same column; put the whole value in quotes)"
            ),
        ),
        (
            "a: [b",
            (
                "10:10 a [ or { that is not closed, or a missing comma (put commas between the items "
                "and close the bracket; put text that contains brackets in quotes)"
            ),
        ),
        (
            "a: 1\nb",
            "11:4 a key without ':' (write 'key: value'; indent a line that continues the value above)",
        ),
        ("a: b\x00", "10:9 control characters are not allowed"),
        ("é: 😀\x07", "10:9 control characters are not allowed"),
        ("x: é\ny: é\x07", "11:7 control characters are not allowed"),
    ],
)
def test_invalid_yaml(text: str, said: str) -> None:
    assert refused(text).replace(" (None)", "") == f"yaml-syntax {said.replace(' ', ' not valid YAML: ', 1)}"


def test_half_a_surrogate_pair() -> None:
    why = r"'utf-8' codec can't encode character '\ud800' in position 3: surrogates not allowed"
    assert refused("a: \ud800") == f"yaml-syntax 10:5 not valid YAML: {why} (None)"


def test_the_size_limit() -> None:
    text = "a: " + "b" * (MAX_BYTES - 3)
    assert read(text) == {"a": text[3:]}
    said = f"yaml-too-large 10:5 {MAX_BYTES + 1} bytes of YAML; at most {MAX_BYTES} are read (None)"
    assert refused(f"{text}b") == said
    assert refused("a: " + "é" * (MAX_BYTES // 2 - 1)) == said


def test_the_depth_limit() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert read("{a: " * MAX_DEPTH + "}" * MAX_DEPTH) is not None
    too_deep = f"nested more than {MAX_DEPTH} levels deep (None)"
    assert refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == f"yaml-too-deep 10:25 {too_deep}"
    assert refused("{a: " * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1)) == f"yaml-too-deep 10:85 {too_deep}"
    assert len(read("- [[]]\n" * 30)) == 30  # what is closed counts no more
    assert refused("[" * 500).startswith("yaml-too-deep 10:25")


def test_the_alias_limit() -> None:
    assert len(read("- &a 1\n" + "- *a\n" * MAX_ALIASES)) == MAX_ALIASES + 1
    said = f"yaml-too-deep {10 + MAX_ALIASES + 1}:5 more than {MAX_ALIASES} aliases (*name) (None)"
    assert refused("- &a 1\n" + "- *a\n" * (MAX_ALIASES + 1)) == said
    circle = "a value that contains itself through an alias (None)"
    assert refused("a: &a\n  - *a\n") == f"yaml-too-deep 10:8 {circle}"
    assert refused("a: &a {b: *a}") == f"yaml-too-deep 10:8 {circle}"
    rows = ["a: &a [1, 2]"] + [f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefg", "bcdefgh", strict=True)]
    assert _count(read("\n".join(rows))["h"]) == 2**9 - 1


def _count(value: Any) -> int:
    return sum(map(_count, value)) + 1 if isinstance(value, list) else 1


def test_the_value_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MAX_VALUES", 200)
    many = ", ".join(["1"] * 199)  # and the list itself
    assert len(read(f"[{many}]")) == 199
    few = "yaml-too-large 10:5 more than 200 values, counting those of aliases (None)"
    assert refused(f"[{many}, 1]") == few
    # Each alias counts as what it stands for.
    assert refused(f"a: &a [{', '.join(['1'] * 50)}]\n" + "".join(f"{n}: *a\n" for n in "bcde")) == few


@pytest.mark.parametrize(
    "written",
    [
        "0.70",
        "3.10",
        "010",
        "0x1F",
        "0o17",
        "1e3",
        ".5",
        "+5",
        "1.",
        ".inf",
        "True",
        "null",
        "~",
        "2026-01-02 03:04:05Z",
    ],
)
def test_a_value_that_is_another_than_its_text_keeps_its_text(written: str) -> None:
    parsed = load(f"a: {written}\nb: [x, {written}]\n", ORIGIN)
    assert parsed.positions["a",].written == parsed.positions["b", 1].written == written
    assert parsed.positions["b", 0].written is None


@pytest.mark.parametrize("written", ["yes", "on", "12:30", "1_000", "'0.70'", '"010"', "a: |\n  0.70"])
def test_text_is_its_own_text(written: str) -> None:
    assert load(f"a: {written}\n".replace("a: a", "a"), ORIGIN).positions["a",].written is None
