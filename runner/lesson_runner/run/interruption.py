"""Ctrl-C, and what ends a process likewise, at any moment of a run: what was done is still written down."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PAUSE = 0.5
"""
Seconds after an interruption in which another has no effect: whoever holds Ctrl-C down wants the run to end,
and not to lose what it noted of the step that was interrupted.
"""


class Interruption:
    """
    Turns signals into :class:`KeyboardInterrupt` where that does no harm.

    Only signals that have a handler in Python are looked after, which Ctrl-C has by itself; and only in the
    main thread, where Python handles them.
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
        """From here on, let interruptions wait."""
        self._held = True

    def release(self) -> None:
        """
        Let interruptions have their effect again, the next one at once.

        Raises:
            KeyboardInterrupt: one is waiting.
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
