"""
Judge a step: compare what it produced with the lesson's expectations and claims.

Pure functions of output, exit code, metrics and files, so that a record can be judged again later from the
stored evidence.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lesson_runner.model import Claim, ClaimVerdict, Expectation, Verdict
from lesson_runner.run.files import FileFacts
from lesson_runner.run.matchers import TEXT_MATCHERS
from lesson_runner.run.printed import Printed
from lesson_runner.run.time_limit import time_limit


@dataclass(frozen=True, slots=True)
class Produced(Printed):
    """What a step produced, to be judged."""

    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    """Facts about the expected files, by path."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Why ``capture`` did not measure a metric, by its name."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a run; a claim is evaluated only under its own conditions."""

    profile: str = ""
    hardware: Sequence[str] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def judge(
    expectations: Sequence[Expectation], produced: Produced, facts: Mapping[str, Any]
) -> tuple[Verdict, ...]:
    """
    Return a verdict for each expectation that applies under the run's ``facts``.

    A process must exit with 0 unless an ``exit`` expectation says otherwise.

    Raises:
        TooSlowError: judging takes too long.
    """
    wanted = [item for item in expectations if _holds(item.when, facts)]
    if expectations and not wanted:
        return (
            Verdict("when", "an expectation that applies", "no 'when' matches the facts of this run", False),
        )
    if produced.exit_code is not None and not any(item.matcher == "exit" for item in wanted):
        wanted.insert(0, Expectation("exit", 0))
    with time_limit():
        return tuple(_verdict(item, produced) for item in wanted)


def judge_shown(shown: Sequence[Expectation], produced: Produced) -> tuple[Verdict, ...]:
    """
    Return a verdict for each output that the lesson shows; they are reported and never fail the step.

    Raises:
        TooSlowError: judging takes too long.
    """
    with time_limit():
        return tuple(_verdict(item, produced, hint="") for item in shown)


_HINT = ": write `...` for what differs from run to run, or `output: ignore` in the step directive"


def _verdict(item: Expectation, produced: Produced, hint: str = _HINT) -> Verdict:
    match = _MATCHERS[item.matcher]
    verdict = match(item.argument, produced)
    if verdict.passed or not item.places:
        return verdict

    def is_missing(count: int) -> bool:
        return not match(item.argument[:count], produced).passed

    place = item.places[bisect_left(range(1, len(item.places)), True, key=is_missing)]
    return replace(verdict, actual=f"{verdict.actual}; {place} shows this line as output{hint}")


def _exit(argument: int, produced: Produced) -> Verdict:
    actual = "no process was run" if produced.exit_code is None else str(produced.exit_code)
    return Verdict("exit", str(argument), actual, produced.exit_code == argument)


def _metric(argument: Mapping[str, Any], produced: Produced) -> Verdict:
    name, unit = argument["name"], argument.get("unit", "")
    value = produced.metrics.get(name)
    expected = bounds(argument)
    if value is None:
        known = ", ".join(sorted(produced.metrics)) or "none"
        reason = f": {produced.unread[name]}" if name in produced.unread else ""
        return Verdict("metric", expected, f"not measured{reason} (measured: {known})", False)
    # NaN compares false with everything; an infinite value never counts as within bounds.
    good = math.isfinite(value) and argument.get("min", -math.inf) <= value <= argument.get("max", math.inf)
    return Verdict("metric", expected, f"{name} = {_shown(value)}{' ' + unit if unit else ''}", good)


def _file(argument: Mapping[str, Any], produced: Produced) -> Verdict:
    expected = json.dumps(argument, sort_keys=True)
    facts = produced.files.get(argument["path"], FileFacts(problem="the file was not checked"))
    if facts.problem:
        return Verdict("file", expected, facts.problem, False)
    enough = facts.bytes >= argument.get("min_bytes", 0)
    if facts.not_hashed:
        known = f"{facts.bytes} bytes, not hashed: {facts.not_hashed}"
        return Verdict("file", expected, known, enough and "sha256" not in argument)
    good = enough and argument.get("sha256", facts.sha256) == facts.sha256
    return Verdict("file", expected, f"{facts.bytes} bytes, sha256 {facts.sha256}", good)


_MATCHERS: Mapping[str, Callable[[Any, Produced], Verdict]] = {
    "exit": _exit,
    **TEXT_MATCHERS,
    "metric": _metric,
    "file": _file,
}


_EXPECTED = {
    "exit": "exit code {}",
    "contains": "output with '{}'",
    "not_contains": "output without '{}'",
    "regex": "output that matches '{}'",
    "lines": "the lines {}",
    "json": "JSON output that matches {}",
    "metric": "{}",
    "file": "the file {}",
    "when": "{}",
}


def describe_expected(matcher: str, expected: str) -> str:
    """Describe what a matcher expects, to follow the word "expected"; see :class:`Verdict`."""
    return _EXPECTED.get(matcher, f"{matcher} {{}}").format(expected)


def bounds(argument: Mapping[str, Any]) -> str:
    """Return a metric's bounds as text, such as ``1.6 <= final_loss <= 1.8``."""
    low = f"{_shown(argument['min'])} <= " if "min" in argument else ""
    high = f" <= {_shown(argument['max'])}" if "max" in argument else ""
    unit = f" {argument['unit']}" if "unit" in argument else ""
    return f"{low}{argument['name']}{high}{unit}"


def _shown(value: float) -> str:
    """Format a number; integers in full, so that an error of one is visible."""
    whole = math.isfinite(value) and value == int(value)
    return f"{int(value):,}" if whole else f"{value:.6g}"


def evaluate_claim(claim: Claim, metrics: Mapping[str, float], now: Conditions) -> ClaimVerdict:
    """Compare a claim with the measured metrics, if its conditions match this run."""
    argument = claim.argument
    text = bounds(argument)
    value = metrics.get(argument["name"])
    reason = _reason_not_evaluated(claim.conditions, now)
    if reason is None and (value is None or not math.isfinite(value)):
        reason = f"{argument['name']} was not measured"
    if reason is not None or value is None:
        shown = "" if value is None else _shown(value)
        return ClaimVerdict(text, claim.source, shown, "not evaluated", reason or "")
    low, high = argument.get("min", -math.inf), argument.get("max", math.inf)
    if low <= value <= high:
        return ClaimVerdict(text, claim.source, _shown(value), "reproduced")
    one_sided = "lower" if "min" not in argument else "higher"
    better = claim.conditions.get("better", "lower" if {"min", "max"} <= set(argument) else one_sided)
    is_better = value < low if better == "lower" else value > high
    return ClaimVerdict(text, claim.source, _shown(value), "better" if is_better else "worse")


def _reason_not_evaluated(conditions: Mapping[str, Any], now: Conditions) -> str | None:
    """Return why a claim does not apply to this run, or ``None`` if it does."""
    profiles, hardware = conditions.get("profile"), conditions.get("hardware")
    if profiles and now.profile not in profiles:
        return f"the claim is about profile {' or '.join(profiles)}; this run used {now.profile}"
    if hardware and not set(hardware) & set(now.hardware):
        used = " and ".join(now.hardware) if now.hardware else "no board"
        return f"the claim is about {' or '.join(hardware)}; this run used {used}"
    for name, value in conditions.get("with", {}).items():
        if now.params.get(name) != value:
            return f"the claim is about {name} {value}; this run used {now.params.get(name)}"
    for name, value in conditions.get("facts", {}).items():
        if (actual := fact_of(now.facts, name)) != value:
            return f"the claim is about {name} {value}; this run had {actual}"
    return None


def _holds(conditions: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Return whether the facts meet the conditions; for a list, one of its values is enough."""
    return all(
        fact_of(facts, name) in (value if isinstance(value, list) else [value])
        for name, value in conditions.items()
    )


def fact_of(facts: Mapping[str, Any], name: str) -> Any:
    """Return a fact of a run by its dotted name, such as ``metal.version``; ``None`` if unknown."""
    value: Any = facts
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
