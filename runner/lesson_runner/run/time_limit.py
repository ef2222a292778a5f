"""A limit on how long judging may take: a pattern can be written so that it is searched for years."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MOST_SECONDS = 60.0
"""For all expectations of a step together; they take milliseconds."""


class TooSlowError(Exception):
    """Judging was ended."""


@contextmanager
def time_limit() -> Iterator[None]:
    """
    End what takes longer than :data:`MOST_SECONDS`.

    By a signal, which Python's search for a pattern looks out for. Signals reach the main thread alone: in
    others there is no limit. A timer that was set already goes on afterwards.

    Raises:
        TooSlowError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    left = interval = 0.0
    over = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if not over:
            raise TooSlowError(f"it took more than {MOST_SECONDS:g} seconds")

    handler, began = signal.signal(signal.SIGALRM, stop), time.monotonic()
    try:
        left, interval = signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)
