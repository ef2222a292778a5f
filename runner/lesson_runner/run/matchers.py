"""The matchers for what a step printed: each returns whether it holds, and what was found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lesson_runner.document.schema.validator import validator_for
from lesson_runner.model import Gap, Verdict
from lesson_runner.run.printed import Printed
from lesson_runner.run.text import end_of, lookalike, nearest, parts_of, position_of, without_last_breaks

MOST_SHOWN = 80
"""Characters of a text that does not belong to JSON that are shown."""


def contains(argument: str, printed: Printed) -> Verdict:
    """Look for a text in the output."""
    wanted = without_last_breaks(argument)
    found = any(wanted in part for part in parts_of(printed.output, printed.gaps.get("output")))
    actual = "found" if found else lookalike(wanted, printed.output) or _not_found(printed)
    return Verdict("contains", wanted, actual, found)


def not_contains(argument: str, printed: Printed) -> Verdict:
    """Check that a text is nowhere in the output; if lines were not kept, that is not known."""
    unwanted = without_last_breaks(argument)
    gap = printed.gaps.get("output")
    if any(unwanted in part for part in parts_of(printed.output, gap)):
        line = next((line for line in printed.output.split("\n") if unwanted in line), None)
        return Verdict("not_contains", unwanted, line or "found", False)
    actual = "not found" if gap is None else f"not found, but {_missing(gap)}"
    return Verdict("not_contains", unwanted, actual, gap is None)


def regex(argument: str, printed: Printed) -> Verdict:
    """Look for a pattern in the output."""
    pattern = without_last_breaks(argument)
    gap = printed.gaps.get("output")
    cut = -1 if gap is None else position_of(printed.output, gap)
    if gap is not None and ("(?!" in pattern or "(?<!" in pattern):
        return Verdict("regex", pattern, f"it excludes text, but {_missing(gap)}", False)
    matches = re.finditer(pattern, printed.output, re.MULTILINE)
    match = next((match for match in matches if not match.start() < cut < match.end()), None)
    return Verdict("regex", pattern, match[0] if match else _not_found(printed), match is not None)


def lines(argument: Sequence[str], printed: Printed) -> Verdict:
    """Look for lines in this order; ``...`` matches any lines, or any text within a line."""
    rows = [line.strip() for line in printed.output.split("\n")]
    expected = "\n".join(argument)
    begin = 0
    for wanted in (line.strip() for line in argument):
        if wanted in ("", "..."):
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("...")))
        matches = (place for place in range(begin, len(rows)) if pattern.fullmatch(rows[place]))
        found = next(matches, None)
        if found is None:
            below = f" below line {begin}" if begin else ""
            above = next((place for place in range(begin) if pattern.fullmatch(rows[place])), None)
            if above is not None:
                hint = f"; it is line {above + 1}, above lines that are expected before it"
            elif (near := lookalike(wanted, printed.output, whole=True) or nearest(wanted, rows)) is not None:
                hint = f"; {near}"
            else:
                hint = f" in: {_not_found(printed)}"
            return Verdict("lines", expected, f"no line {wanted!r}{below}{hint}", False)
        begin = found + 1
    return Verdict("lines", expected, "all found", True)


def json_schema(argument: Mapping[str, Any], printed: Printed) -> Verdict:
    """Read standard output, or the output if they were not read separately, as JSON that follows a schema."""
    from referencing.exceptions import Unresolvable

    expected = json.dumps(argument, sort_keys=True)
    which = "output" if printed.stdout is None else "stdout"
    text = printed.output if printed.stdout is None else printed.stdout
    if (gap := printed.gaps.get(which)) is not None:
        return Verdict("json", expected, f"not known: {_missing(gap)}", False)
    try:
        data = json.loads(text)
    except ValueError as error:
        return Verdict("json", expected, f"not JSON: {_where_json_stops(text, error)}", False)
    try:
        problem = next((error.message for error in validator_for(argument).iter_errors(data)), None)
    except Unresolvable as error:
        problem = f"the lesson's schema has a reference that cannot be resolved: {error}"
    return Verdict("json", expected, problem or "matches", problem is None)


TEXT_MATCHERS: Mapping[str, Callable[[Any, Printed], Verdict]] = {
    "contains": contains,
    "not_contains": not_contains,
    "regex": regex,
    "lines": lines,
    "json": json_schema,
}


def _where_json_stops(text: str, error: ValueError) -> str:
    """Return which part of a text is not JSON, and what is there."""
    if not text.strip():
        return "no output"
    if not isinstance(error, json.JSONDecodeError):
        return f"{error}: {end_of(text)}"
    place, what = error.pos, error.msg
    decoder = json.JSONDecoder()
    if place == len(text) - len(text.lstrip()):  # JSON may begin in a later line
        for match in re.finditer(r"^[ \t]*(?=[\[{])", text, re.MULTILINE):
            try:
                decoder.raw_decode(text, match.end())
            except (ValueError, RecursionError):
                continue
            line = text.count("\n", 0, match.end()) + 1
            return f"{_place(text, place)} is {_quoted(text, place)}; the JSON begins in line {line}"
    if what == "Extra data":
        return f"the JSON ends before {_place(text, place)}, and there is {_quoted(text, place)}"
    return f"{what} in {_place(text, place)}, where there is {_quoted(text, place)}"


def _place(text: str, position: int) -> str:
    begin = text.rfind("\n", 0, position) + 1
    return f"line {text.count(chr(10), 0, position) + 1}, column {position - begin + 1}"


def _quoted(text: str, position: int) -> str:
    row = text[position : position + MOST_SHOWN + 1].split("\n")[0]
    if not row:
        return "the end of the output" if position >= len(text) else "the end of the line"
    return repr(row if len(row) <= MOST_SHOWN else f"{row[:MOST_SHOWN]}…")


def _missing(gap: Gap) -> str:
    return f"{gap.lines:,} lines in the middle of the output were not kept"


def _not_found(printed: Printed) -> str:
    gap = printed.gaps.get("output")
    return end_of(printed.output) if gap is None else f"{end_of(printed.output)} ({_missing(gap)})"
