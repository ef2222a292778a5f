"""Handle Ctrl-C, SIGTERM and SIGHUP during a run, so that the results so far are still recorded."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PAUSE = 0.5
"""
Seconds after an interruption during which another one is ignored. A user who holds Ctrl-C down wants the run
to end, but not to lose the result of the interrupted step.
"""


class Interruption:
    """
    Turns signals into :class:`KeyboardInterrupt`, except while they are held back.

    Only signals with a handler in Python are handled (Ctrl-C has one by default), and only in the main
    thread, where Python handles signals.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._last = -PAUSE
        self._held = self._waiting = False

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if callable(handler := signal.getsignal(number)):
                    self._before[number] = handler
                    signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        """Hold interruptions back until :meth:`release`."""
        self._held = True

    def release(self) -> None:
        """
        Let interruptions through again, without a pause before the next one.

        Raises:
            KeyboardInterrupt: an interruption was held back.
        """
        self._held = False
        self._last = -PAUSE
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        clock = time.monotonic()
        if self._held:
            self._waiting = True
        elif clock - self._last >= PAUSE:
            self._last = clock
            raise KeyboardInterrupt
