"""Captions for generated text: its metrics, and what the model has newly learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lesson_ct4.measuring.emergence import Phase

SHOWN = (
    ("plausible letters", "character_plausibility", ".2f"),
    ("look of a play", "format_score", ".2f"),
    ("real words", "real_word_ratio", ".0%"),
    ("speakers of the play", "known_speakers", ".0f"),
    ("plausible word pairs", "word_plausibility", ".2f"),
    ("copied", "copied_ratio", ".0%"),
    ("repetition", "repetition", ".0%"),
)
"""Name, metric and number format."""


def metrics_caption(metrics: Mapping[str, float]) -> str:
    """Return the metrics of a stage's texts on one line; empty if there are none."""
    shown = [f"{name} {_written(metric, metrics[metric])}" for name, metric, _ in SHOWN if metric in metrics]
    count = int(metrics.get("samples", 0))
    return f"{f'All {count} texts' if count > 1 else 'This text'}: {', '.join(shown)}" if shown else ""


def news_caption(phases: Sequence[Phase], metrics: Mapping[str, float]) -> str:
    """
    Return the newly reached phases on one line; empty if there are none.

    Args:
        phases: phases that ``metrics`` reach and no earlier stage reached.
    """
    parts = [f"{phase.name}{_reason(phase, metrics)}" for phase in phases]
    return f"New in this run: {', '.join(parts)}" if parts else ""


def _reason(phase: Phase, metrics: Mapping[str, float]) -> str:
    names = {metric: name for name, metric, _ in SHOWN}
    if names[phase.metric] == phase.name:  # a count, shown as it is
        return f" ({_written(phase.metric, metrics[phase.metric])})"
    return f" ({names[phase.metric]} {_written(phase.metric, phase.at_least)} or more)"


def _written(metric: str, value: float) -> str:
    return format(value, next(style for _, name, style in SHOWN if name == metric))
