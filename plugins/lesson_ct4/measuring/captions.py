"""Captions for generated text: its metrics, and what the model has newly learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lesson_ct4.measuring.emergence import Phase

COUNT = ".0f"
SHOWN = {
    "character_plausibility": ".2f",
    "format_score": ".2f",
    "real_word_ratio": ".0%",
    "known_speakers": COUNT,
    "word_plausibility": ".2f",
    "copied_ratio": ".0%",
    "repetition": ".0%",
}
"""Number formats by metric."""


def metric_title(metric: str) -> str:
    """Return what readers call a metric: its key in words."""
    return metric.replace("_", " ")


def metrics_caption(metrics: Mapping[str, float]) -> str:
    """Return the metrics of a stage's texts on one line; empty if there are none."""
    shown = [
        f"{metric_title(name)} {metrics[name]:{style}}" for name, style in SHOWN.items() if name in metrics
    ]
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
    if SHOWN[phase.metric] == COUNT:
        return f" ({metrics[phase.metric]:{COUNT}})"
    return f" ({metric_title(phase.metric)} {phase.at_least:{SHOWN[phase.metric]}} or more)"
