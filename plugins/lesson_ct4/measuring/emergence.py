"""At which stage of training each skill first appears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """A skill that a model learns, and the metric and threshold that show it."""

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
"""In the expected order; ``docs/metrics.md`` explains the thresholds."""


def emergence(stages: Sequence[Mapping[str, float]]) -> dict[str, int | None]:
    """Return, for each of the `PHASES`, the number of the stage (from 1) from which it is reached.

    A phase is reached at a stage if every later stage that has its metric meets the threshold too. It is None
    if there is no such stage, and left out if no stage has its metric.

    Args:
        stages: the metrics of each stage's texts, in order of training.
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
    """Return the `PHASES` that a stage reaches and no earlier stage did; later stages may lose them."""
    earlier = list(before)
    return [
        phase
        for phase in PHASES
        if _shows(phase, stage) and not any(_shows(phase, metrics) for metrics in earlier)
    ]


def _shows(phase: Phase, metrics: Mapping[str, float]) -> bool:
    return metrics.get(phase.metric, float("-inf")) >= phase.at_least


def sentence(found: Mapping[str, int | None]) -> str:
    """Return the result of `emergence` as text: "Learned: letters by stage 1, structure by stage 2." """
    seen = [f"{name} by stage {stage}" for name, stage in found.items() if stage is not None]
    missing = [name for name, stage in found.items() if stage is None]
    parts = [f"Learned: {', '.join(seen)}."] if seen else []
    return " ".join([*parts, f"Not learned: {', '.join(missing)}."] if missing else parts)
