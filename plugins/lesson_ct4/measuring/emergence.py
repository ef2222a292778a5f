"""At which stage of a training something is seen for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """Something that a model learns, and how it is recognised."""

    name: str
    metric: str
    at_least: float


PHASES = (
    Phase("letters", "character_plausibility", 0.8),
    Phase("structure", "format_score", 0.5),
    Phase("vocabulary", "real_word_ratio", 0.6),
    Phase("speakers of the play", "known_speakers", 1),
    Phase("word order", "word_plausibility", 0.3),
)
"""In the order in which they are expected; ``docs/metrics.md`` says where the thresholds come from."""


def emergence(stages: Sequence[Mapping[str, float]]) -> dict[str, int | None]:
    """Return, for each of the `PHASES`, the number of the stage (from 1) at which it is first seen.

    Seen counts from where it stays: every later stage that was measured reaches the threshold as well. None
    if it does not stay; a phase that was measured at no stage is left out.

    Args:
        stages: the metrics of each stage's texts, in order of training; one without a metric is passed over.
    """
    return {
        phase.name: _first(phase, stages)
        for phase in PHASES
        if any(phase.metric in metrics for metrics in stages)
    }


def _first(phase: Phase, stages: Sequence[Mapping[str, float]]) -> int | None:
    first = None
    for number, metrics in enumerate(stages, 1):
        if phase.metric in metrics:
            first = (first or number) if _shows(phase, metrics) else None
    return first


def first_seen(stage: Mapping[str, float], before: Iterable[Mapping[str, float]]) -> list[Phase]:
    """Return which of the `PHASES` a stage shows that none before it did; not all of them need stay."""
    earlier = list(before)
    return [
        phase
        for phase in PHASES
        if _shows(phase, stage) and not any(_shows(phase, metrics) for metrics in earlier)
    ]


def _shows(phase: Phase, metrics: Mapping[str, float]) -> bool:
    return metrics.get(phase.metric, float("-inf")) >= phase.at_least


def sentence(found: Mapping[str, int | None]) -> str:
    """Return what `emergence` found, in words: "Learned: letters by stage 1, structure by stage 2." """
    seen = [f"{name} by stage {stage}" for name, stage in found.items() if stage is not None]
    missing = [name for name, stage in found.items() if stage is None]
    parts = [f"Learned: {', '.join(seen)}."] if seen else []
    return " ".join([*parts, f"Not learned: {', '.join(missing)}."] if missing else parts)
