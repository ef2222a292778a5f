"""Save checkpoints to the cache during training, so that an interrupted run loses little."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from lesson_ct4.training.checkpoint_cache import CheckpointCache
from lesson_ct4.training.run import TrainingRun
from lesson_runner.model.errors import LessonError

STEPS = 1000
"""Save a checkpoint at least every this many steps."""
SECONDS = 60.0
"""Save a checkpoint at least this often; for the lesson's model, writing one takes less than a second."""
SECONDS_VARIABLE = "LESSON_SNAPSHOT_SECONDS"
"""The environment variable that overrides :data:`SECONDS`."""


class Snapshots:
    """
    Saves checkpoints of one run: after the last shared step, and at intervals.

    Args:
        cache: where to save; ``None`` saves nothing.
        shared: how many of the run's steps do not depend on its length.
        on_note: called with a message if a checkpoint cannot be saved.
    """

    def __init__(
        self, cache: CheckpointCache | None, run: TrainingRun, shared: int, on_note: Callable[[str], None]
    ) -> None:
        self._cache, self._run, self._shared, self._note = cache, run, shared, on_note
        self._saved_step, self._saved_time = run.step, time.monotonic()
        self._seconds = _seconds()

    def due(self) -> bool:
        """Return whether to save a checkpoint now; the last step is saved separately."""
        step = self._run.step
        if step == self._run.steps:
            return False
        late = time.monotonic() - self._saved_time >= self._seconds
        return step == self._shared or step - self._saved_step >= STEPS or late

    def save(self) -> None:
        """Save the current state, unless it has been saved already."""
        run, cache = self._run, self._cache
        if cache is None or run.step <= self._saved_step:
            return
        state = run.checkpoint()
        if state.optimizer is None:
            self._note("steps cannot be reused: this version of ttml does not expose the optimizer state")
            self._cache = None
            return
        self._saved_step, self._saved_time = run.step, time.monotonic()
        try:
            if run.step == self._shared:
                cache.save(state)
            else:
                cache.save_snapshot(state, self._shared)
        except LessonError as error:  # only later runs need it, so this run continues
            self._note(f"the steps so far cannot be reused later: {error}")


def _seconds() -> float:
    try:
        return float(os.environ[SECONDS_VARIABLE])
    except (KeyError, ValueError):
        return SECONDS
