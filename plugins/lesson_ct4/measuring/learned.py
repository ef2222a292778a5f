"""What the stages learned: one curve for each metric."""

from __future__ import annotations

from collections.abc import Mapping

from lesson_ct4.measuring.emergence import PHASES, emergence, sentence
from lesson_runner.model import Line, Series

LEARNED = (
    ("Plausible letters", "character_plausibility"),
    ("Look of a play", "format_score"),
    ("Real words", "real_word_ratio"),
    ("Plausible word pairs", "word_plausibility"),
    ("New phrases", "novelty"),
    ("Copied", "copied_ratio"),
    ("Repetition", "repetition"),
)
"""Name and metric; all metrics are ratios."""
_NAMES = {metric: name.lower() for name, metric in LEARNED}
NOTE = (
    "Each metric is from 0 to 1, over all texts of a stage. Learned means reached and kept: "
    + ", ".join(
        f"{_NAMES[phase.metric]} {phase.at_least:g} ({phase.name})"
        for phase in PHASES
        if phase.metric in _NAMES
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
        Line(name, tuple((number, round(found[metric], 3)) for number, found in numbered if metric in found))
        for name, metric in LEARNED
    ]
    shown = tuple(line for line in lines if line.points)
    if len(stages) < 2 or not shown:
        return None
    conclusion = sentence(emergence(list(stages.values())))
    return Series("What was learned", shown, "stage", "share", tuple(enumerate(stages, 1)), NOTE, conclusion)
