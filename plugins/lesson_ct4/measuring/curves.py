"""The loss curves of a run, with a published curve for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lesson_ct4.measuring.evidence import read_losses
from lesson_ct4.measuring.published import BOARD_CURVE, BOARD_NAME
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Json, Line, Point, Series

MOST_CURVES = 50
"""A chart cannot show more."""
CURVE_POINTS = 200
"""A chart has fewer pixels; a full run has 34,000 steps."""


def loss_curves(trained: Sequence[Json], folder: Path, *, shakespeare: bool) -> Series | None:
    """Return the training loss curves; None if there are none.

    Args:
        trained: the training steps in the record.
        folder: the run folder.
        shakespeare: whether the text is the one that the published curve was measured on.
    """
    lines: list[Line] = []
    stages: list[tuple[float, str]] = []
    for step in trained[:MOST_CURVES]:
        if losses := read_losses(Evidence.of(folder, step)):
            lines.append(Line(str(step["title"]), _thinned(losses)))
            stages.append((len(losses), str(step["title"])))
    if not lines:
        return None
    note = "Each point is the mean of the steps up to it."
    longest = max(x for x, _ in stages)
    published = tuple((step, loss) for step, loss in BOARD_CURVE if step <= longest)
    if shakespeare and len(published) > 1:
        lines.append(Line(BOARD_NAME, published, dashed=True))
        note += (
            " The dashed curve was published for a board: losses of single steps, 10.8 million parameters,"
            " batch size 64. It saw more text per step, so it is not a target."
        )
    return Series("Loss curves", tuple(lines), "step", "training loss", tuple(stages), note)


def _thinned(losses: Sequence[float]) -> tuple[Point, ...]:
    """Return at most :data:`CURVE_POINTS` pairs ``(step, mean loss)``, each over the same number of steps."""
    size = -(-len(losses) // CURVE_POINTS)
    parts = [
        (end, losses[start:end])
        for start in range(0, len(losses), size)
        for end in [min(start + size, len(losses))]
    ]
    return tuple((end, round(sum(part) / len(part), 4)) for end, part in parts)
