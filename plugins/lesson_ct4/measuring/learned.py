"""What the stages learned: one curve for each metric."""

from __future__ import annotations

from collections.abc import Mapping

from lesson_ct4.measuring.emergence import PHASES, emergence, sentence
from lesson_runner.model import Section

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


def what_was_learned(stages: Mapping[str, Mapping[str, float]]) -> Section | None:
    """Return the ratios for each stage's texts; None if there are fewer than two stages.

    Args:
        stages: the metrics of the texts by the stage's title, in order of training.
    """
    numbered = list(enumerate(stages.values(), 1))
    items = [
        {
            "name": name,
            "points": [[number, round(found[metric], 3)] for number, found in numbered if metric in found],
        }
        for name, metric in LEARNED
    ]
    shown = [item for item in items if item["points"]]
    if len(stages) < 2 or not shown:
        return None
    marks = [{"name": title, "x": number} for number, title in enumerate(stages, 1)]
    data = {"x": "stage", "y": "share", "items": shown, "stages": marks}
    return Section("What was learned", "series", data, NOTE, sentence(emergence(list(stages.values()))))
