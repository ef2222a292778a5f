"""Combine the reports of several sources into one description, and note where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lesson_runner.model import Json
from lesson_tenstorrent.hardware.naming import MORE_SPECIFIC, UNKNOWN, agree
from lesson_tenstorrent.hardware.sources import SourceReport


def fact(value: Any, found_by: str) -> Json:
    """Return a fact in the form that :class:`lesson_runner.model.Hardware` stores."""
    return {"value": value, "found_by": found_by}


def most_trusted(reports: Sequence[SourceReport]) -> SourceReport | None:
    """
    Return the report whose board name is used: the most trusted one, or one with a more specific name.

    Args:
        reports: the reports, the most trusted first.
    """
    named = [item for item in reports if not item.problem and item.name != UNKNOWN]
    if not named:
        return next((item for item in reports if not item.problem), None)
    more_specific = [item for item in named if item.name == MORE_SPECIFIC.get(named[0].name)]
    return (more_specific or named)[0]


def facts_of(reports: Sequence[SourceReport]) -> dict[str, Json]:
    """Return each fact from the most trusted source that has it, and what each source reported."""
    facts: dict[str, Json] = {}
    for item in reports:
        if item.chips and not item.problem:
            facts.setdefault("chips", fact(item.chips, item.how))
        for name, value in item.facts.items():
            if value:
                facts.setdefault(name, fact(value, item.how))
    for item in reports:
        facts[item.source] = fact(item.problem or f"says {_name_and_chips(item)}", item.how)
    if odd := disagreement(reports):
        facts["disagreement"] = fact(odd, "comparison of the sources")
    return facts


def disagreement(reports: Sequence[SourceReport]) -> str:
    """Describe where the sources disagree; empty if they agree."""
    telling = [item for item in reports if not item.problem]
    named = [item for item in telling if item.name != UNKNOWN]
    names = any(not agree(named[0].name, item.name) for item in named)
    counts = len({item.chips for item in telling}) > 1
    return (
        "; ".join(f"{item.source} says {_name_and_chips(item)}" for item in telling)
        if names or counts
        else ""
    )


def _name_and_chips(item: SourceReport) -> str:
    return f"{item.name}, {item.chips} chip{'' if item.chips == 1 else 's'}"
