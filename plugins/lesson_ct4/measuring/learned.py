"""What the stages learned: one curve for each metric."""

from __future__ import annotations

from collections.abc import Mapping

from lesson_ct4.measuring.captions import metric_title
from lesson_ct4.measuring.emergence import PHASES, emergence, sentence
from lesson_runner.model import Line, Series

LEARNED = (
    "character_plausibility",
    "format_score",
    "real_word_ratio",
    "word_plausibility",
    "novelty",
    "copied_ratio",
    "repetition",
)
"""Metrics from 0 to 1."""
NOTE = (
    "Each metric is from 0 to 1, over all texts of a stage. Learned means reached and kept: "
    + ", ".join(
        f"{metric_title(phase.metric)} {phase.at_least:g} ({phase.name})"
        for phase in PHASES
        if phase.metric in LEARNED
    )
    + "."
)


def what_was_learned(stages: Mapping[str, Mapping[str, float]]) -> Series | None:
    """Return the ratios for each stage's texts; None if there are fewer than two stages.

    Args:
        stages: the metrics of the texts by the stage's title, in order of training.
    """
    numbered = list(enumerate(stages.values(), 1))
    lines = [
        Line(
            metric_title(metric).capitalize(),
            tuple((number, round(found[metric], 3)) for number, found in numbered if metric in found),
        )
        for metric in LEARNED
    ]
    shown = tuple(line for line in lines if line.points)
    if len(stages) < 2 or not shown:
        return None
    conclusion = sentence(emergence(list(stages.values())))
    return Series("What was learned", shown, "stage", "share", tuple(enumerate(stages, 1)), NOTE, conclusion)
