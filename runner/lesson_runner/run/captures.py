"""Read metrics from a step's output with the patterns of its ``capture``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lesson_runner.model import Gap
from lesson_runner.run.numbers import is_like_number, read_number
from lesson_runner.run.text import position_of, without_last_breaks
from lesson_runner.run.time_limit import time_limit


def capture_metrics(
    patterns: Mapping[str, str | Mapping[str, Any]], output: str, gap: Gap | None = None
) -> tuple[dict[str, float], dict[str, str]]:
    """
    Return the metrics that a step's ``capture`` finds in its output.

    Only matches count whose group looks like a number; ``take`` says which of them is the metric: the last
    one (the default), the first one, or all, which must then be the same number. What is not certain is not
    measured: the match stands for no number, or may be among lines that were not kept.

    Args:
        patterns: by metric, a regular expression with one group, or a mapping with ``regex`` and ``take``.
        output: the text to search.
        gap: the lines of the output that were not kept.

    Returns:
        The numbers, and for each metric that was not measured the reason, both by the metric's name.

    Raises:
        TooSlowError: searching takes too long.
    """
    numbers: dict[str, float] = {}
    reasons: dict[str, str] = {}
    with time_limit():
        for name, given in patterns.items():
            pattern, take = (given, "last") if isinstance(given, str) else (given["regex"], given.get("take"))
            try:
                numbers[name] = _captured(without_last_breaks(pattern), take or "last", output, gap)
            except ValueError as error:
                reasons[name] = str(error)
    return numbers, reasons


def _captured(pattern: str, take: str, output: str, gap: Gap | None) -> float:
    """
    Return the number that a pattern finds.

    Raises:
        ValueError: it finds none, or which one is not certain; the message is the reason.
    """
    cut = None if gap is None else position_of(output, gap)
    found = first = None
    for match in _matches(pattern, output, cut):
        found, first = match, first or match
        if take == "first":
            break
        if take == "all" and read_number(match[1]) != (one := read_number(first[1])):
            raise ValueError(f"its matches differ: {first[1].strip()} ({one:g}) and {match[1].strip()}")
    if gap is not None and (
        take == "all" or found is None or (found.start() < (cut or 0)) != (take == "first")
    ):
        raise ValueError(
            f"{gap.lines:,} lines in the middle of the output were not kept, and it may be there"
        )
    if found is None:
        raise ValueError(f"nothing in the output matches '{pattern}' with a number")
    return read_number(found[1])


def _matches(pattern: str, output: str, cut: int | None) -> Iterator[re.Match[str]]:
    """Yield the matches that hold something like a number, except one across the place of missing lines."""
    for match in re.finditer(pattern, output, re.MULTILINE):
        if cut is not None and match.start() < cut < match.end():
            continue
        if match.re.groups and match[1] is not None and is_like_number(match[1]):
            yield match
