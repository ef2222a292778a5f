"""From what several sources say to one description, and what they do not agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lesson_runner.model import Json
from lesson_tenstorrent.hardware.naming import FINER, UNKNOWN, agree
from lesson_tenstorrent.hardware.sources import Seen


def fact(value: Any, found_by: str) -> Json:
    """Return a fact as :class:`lesson_runner.model.Hardware` has it."""
    return {"value": value, "found_by": found_by}


def best(seen: Sequence[Seen]) -> Seen | None:
    """
    Return the source whose name counts: the most trusted that knows one, or one with a finer name.

    Args:
        seen: what the sources say, the most trusted first.
    """
    named = [item for item in seen if not item.problem and item.name != UNKNOWN]
    if not named:
        return next((item for item in seen if not item.problem), None)
    finer = [item for item in named if item.name == FINER.get(named[0].name)]
    return (finer or named)[0]


def facts_of(seen: Sequence[Seen]) -> dict[str, Json]:
    """Return what is known, each fact from the most trusted source that has it, and what each source said."""
    facts: dict[str, Json] = {}
    for item in seen:
        if item.chips and not item.problem:
            facts.setdefault("chips", fact(item.chips, item.how))
        for name, value in item.facts.items():
            if value:
                facts.setdefault(name, fact(value, item.how))
    for item in seen:
        facts[item.source] = fact(item.problem or f"says {_says(item)}", item.how)
    if odd := disagreement(seen):
        facts["disagreement"] = fact(odd, "comparing what the sources say")
    return facts


def disagreement(seen: Sequence[Seen]) -> str:
    """Return in words what the sources do not agree on; empty if they do."""
    telling = [item for item in seen if not item.problem]
    named = [item for item in telling if item.name != UNKNOWN]
    names = any(not agree(named[0].name, item.name) for item in named)
    counts = len({item.chips for item in telling}) > 1
    return "; ".join(f"{item.source} says {_says(item)}" for item in telling) if names or counts else ""


def _says(item: Seen) -> str:
    return f"{item.name}, {item.chips} chip{'' if item.chips == 1 else 's'}"
