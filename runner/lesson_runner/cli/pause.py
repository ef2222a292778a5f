"""``lesson run --step``: pause after every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lesson_runner.model import Event


class Pause:
    """
    A listener that waits for Enter after each step.

    Args:
        last: the id of the last step, after which it does not wait.

    Raises:
        KeyboardInterrupt: the user ended the run; what was done is recorded.
    """

    def __init__(self, last: str) -> None:
        self._last = last

    def __call__(self, event: Event) -> None:
        """Wait if a step was run and is not the last."""
        if event.kind != "step-finished" or event.step == self._last or not event.data["attempts"]:
            return
        try:
            answer = typer.prompt(
                "Press Enter to continue, or q to end the run", default="", show_default=False
            )
        except typer.Abort:
            raise KeyboardInterrupt from None
        if answer.strip().lower() in ("q", "quit"):
            raise KeyboardInterrupt
