"""``lesson run --step``: after every step the learner looks at it for as long as they like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lesson_runner.model import Event


class Pause:
    """
    Listens to a run, and waits for Enter when a step has ended.

    Args:
        last: the id of the step after which there is nothing to wait for.

    Raises:
        KeyboardInterrupt: the learner wants no more; what was done is recorded.
    """

    def __init__(self, last: str) -> None:
        self._last = last

    def __call__(self, event: Event) -> None:
        """Wait, if a step was run and another is to come."""
        if event.kind != "step-finished" or event.step == self._last or not event.data["attempts"]:
            return
        try:
            answer = typer.prompt("Enter goes on, q ends the run", default="", show_default=False)
        except typer.Abort:
            raise KeyboardInterrupt from None
        if answer.strip().lower() in ("q", "quit"):
            raise KeyboardInterrupt
