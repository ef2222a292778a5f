"""The loss curves of a run, with a published curve for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lesson_ct4.measuring.evidence import read_losses
from lesson_ct4.measuring.published import BOARD_CURVE, BOARD_NAME
from lesson_runner.model import Evidence, Json, Section

MOST_CURVES = 50
"""A chart cannot show more."""
CURVE_POINTS = 200
"""A chart has fewer pixels; a full run has 34,000 steps."""


def loss_curves(trained: Sequence[Json], folder: Path, *, shakespeare: bool) -> Section | None:
    """Return the training loss curves; None if there are none.

    Args:
        trained: the training steps in the record.
        folder: the run's folder.
        shakespeare: whether the text is the one that the published curve was measured on.
    """
    items: list[Json] = []
    stages: list[Json] = []
    for step in trained[:MOST_CURVES]:
        if losses := read_losses(Evidence.of(folder, step)):
            items.append({"name": str(step["title"]), "points": _thinned(losses)})
            stages.append({"name": str(step["title"]), "x": len(losses)})
    if not items:
        return None
    note = "Each point is the mean of the steps up to it."
    longest = max(stage["x"] for stage in stages)
    published = [[step, loss] for step, loss in BOARD_CURVE if step <= longest]
    if shakespeare and len(published) > 1:
        items.append({"name": BOARD_NAME, "points": published, "dashed": True})
        note += (
            " The dashed curve was published for a board: losses of single steps, 10.8 million parameters,"
            " batch size 64. It saw more text per step, so it is not a target."
        )
    data = {"x": "step", "y": "training loss", "items": items, "stages": stages}
    return Section("Loss curves", "series", data, note)


def _thinned(losses: Sequence[float]) -> list[list[float]]:
    """Return at most :data:`CURVE_POINTS` pairs ``[step, mean loss]``, each over the same number of steps."""
    size = -(-len(losses) // CURVE_POINTS)
    parts = [
        (end, losses[start:end])
        for start in range(0, len(losses), size)
        for end in [min(start + size, len(losses))]
    ]
    return [[end, round(sum(part) / len(part), 4)] for end, part in parts]
