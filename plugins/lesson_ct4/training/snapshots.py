"""The states that a training leaves in the trunk while it goes on: little is lost if it is cut short."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.trunk import Trunk
from lesson_runner.model.errors import LessonError

STEPS = 1000
"""After so many steps a state is left, if not before."""
SECONDS = 60.0
"""After so many seconds a state is left; writing one of the lesson's model takes a fraction of one."""
SECONDS_VARIABLE = "LESSON_SNAPSHOT_SECONDS"
"""The environment variable that says otherwise."""


class Snapshots:
    """
    What one training leaves: the end of what it shares with others, and states on the way.

    Args:
        store: where to; ``None`` leaves nothing.
        shared: how many of the run's steps do not depend on its length.
        on_note: gets a sentence if nothing can be left.
    """

    def __init__(
        self, store: Trunk | None, run: TrainingRun, shared: int, on_note: Callable[[str], None]
    ) -> None:
        self._store, self._run, self._shared, self._note = store, run, shared, on_note
        self._left_at, self._left = run.step, time.monotonic()
        self._seconds = _seconds()

    def due(self) -> bool:
        """Return whether it is time to leave a state; the run's end is kept by other means."""
        step = self._run.step
        if step == self._run.steps:
            return False
        late = time.monotonic() - self._left >= self._seconds
        return step == self._shared or step - self._left_at >= STEPS or late

    def leave(self) -> None:
        """Leave the present state, unless it is there already."""
        run, store = self._run, self._store
        if store is None or run.step <= self._left_at:
            return
        state = run.checkpoint()
        if state.optimizer is None:
            self._note("steps cannot be shared: this ttml does not give out the optimizer's state")
            self._store = None
            return
        self._left_at, self._left = run.step, time.monotonic()
        try:
            if run.step == self._shared:
                store.save(state)
            else:
                store.save_on_the_way(state, self._shared)
        except LessonError as error:  # that is for later; this training goes on
            self._note(f"the steps so far are not kept: {error}")


def _seconds() -> float:
    try:
        return float(os.environ[SECONDS_VARIABLE])
    except (KeyError, ValueError):
        return SECONDS
