"""The plugin's hook; without ``LESSON_TRACK`` it does nothing and imports nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    from lesson_runner.plugins import Event, RunContext

VARIABLE = "LESSON_TRACK"
"""The environment variable with the names of the sinks, separated by commas."""
STATE = "tracking"


@hookimpl
def lesson_step_event(event: Event, context: RunContext) -> None:
    """Pass each event to the sinks that the environment variable names."""
    if event.kind == "run-started" and (names := os.environ.get(VARIABLE, "").strip()):
        from lesson_tracking.tracking import Tracking

        context.store[STATE] = Tracking(names, context)
    elif STATE in context.store:
        context.store[STATE].handle(event)
