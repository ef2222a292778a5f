"""What a sink can do. It may raise whatever it likes: it is then switched off, and the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Value = bool | int | float | str


class Sink(Protocol):
    """Somewhere to write what a run reports; open from its creation until :meth:`close`."""

    def numbers(self, step: str, at: int, values: Mapping[str, float]) -> None:
        """
        Write numbers of one step of the lesson.

        Args:
            step: its id.
            at: how far it was, in training steps.
            values: by name; NaN and infinities are values like others.
        """

    def text(self, name: str, text: str) -> None:
        """Write a text under a name such as ``stage-1/output``."""

    def close(self, status: str, labels: tuple[str, ...], settings: Mapping[str, Value]) -> None:
        """
        Write what the run was, and everything that is not on disk yet; leave nothing running.

        Args:
            status: ``passed``, ``failed`` or ``interrupted``.
            labels: what a reader must not overlook, such as ``emulated``.
            settings: what tells this run from others, by name.
        """
