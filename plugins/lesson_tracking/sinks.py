"""The interface of sinks. If a sink raises any exception, it is switched off and the run continues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Value = bool | int | float | str


class Sink(Protocol):
    """A destination for what a run reports; open from its creation until :meth:`close`."""

    def numbers(self, step: str, at: int, values: Mapping[str, float]) -> None:
        """
        Write numbers of one step of the lesson.

        Args:
            step: the step's id.
            at: its progress, in training steps.
            values: the numbers by name; NaN and infinities are allowed.
        """

    def text(self, name: str, text: str) -> None:
        """Write a text under a name such as ``stage-1/output``."""

    def close(self, status: str, labels: tuple[str, ...], settings: Mapping[str, Value]) -> None:
        """
        Write the run's settings and everything that is not on disk yet, and leave no process running.

        Args:
            status: ``passed``, ``failed`` or ``interrupted``.
            labels: the run's labels, such as ``emulated``.
            settings: the run's parameters and circumstances, by name.
        """
