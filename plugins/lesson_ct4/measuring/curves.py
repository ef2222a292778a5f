"""The loss curves of a run, with one that was published behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lesson_ct4.measuring.evidence import read_losses
from lesson_ct4.measuring.published import BOARD_CURVE, BOARD_NAME
from lesson_runner.model import Evidence, Json, Section

MOST_CURVES = 50
"""More than one chart can show."""
CURVE_POINTS = 200
"""More than a chart is wide; a full run has 34,000 steps."""


def loss_curves(trained: Sequence[Json], folder: Path, *, shakespeare: bool) -> Section | None:
    """Return the training losses of steps over their steps; None if no step left any.

    Args:
        trained: the record's steps that trained.
        folder: the run's.
        shakespeare: whether the text is the one that the published curve is about.
    """
    items: list[Json] = []
    stages: list[Json] = []
    for step in trained[:MOST_CURVES]:
        if losses := read_losses(Evidence.of(folder, step)):
            items.append({"name": str(step["title"]), "points": _thinned(losses)})
            stages.append({"name": str(step["title"]), "x": len(losses)})
    if not items:
        return None
    note = "Each point: the mean of the steps up to it."
    longest = max(stage["x"] for stage in stages)
    published = [[step, loss] for step, loss in BOARD_CURVE if step <= longest]
    if shakespeare and len(published) > 1:
        items.append({"name": BOARD_NAME, "points": published, "dashed": True})
        note += (
            " Dashed, behind them: what was published of a board, single steps of 10.8 million parameters at"
            " batch 64. It saw more text at each step, and is no target."
        )
    data = {"x": "step", "y": "training loss", "items": items, "stages": stages}
    return Section("Loss curves", "series", data, note)


def _thinned(losses: Sequence[float]) -> list[list[float]]:
    """Return ``[step, mean loss]`` pairs, at most :data:`CURVE_POINTS`, of equally many steps each."""
    size = -(-len(losses) // CURVE_POINTS)
    parts = [
        (end, losses[start:end])
        for start in range(0, len(losses), size)
        for end in [min(start + size, len(losses))]
    ]
    return [[end, round(sum(part) / len(part), 4)] for end, part in parts]
