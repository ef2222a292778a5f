"""
Limits that hold although what they limit does not look at the time: judging (a pattern can be written so
that it is searched for years), and the actions of plugins.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from lesson_runner.model.errors import TimedOutError
from lesson_runner.plugins.context import StepContext

MOST_SECONDS = 60.0
"""For all expectations of a step together; they take milliseconds."""


class TooSlowError(Exception):
    """Judging was ended."""


OVERTIME = 60.0
"""
Seconds that an action may go on after its step's timeout before it is ended from outside. One that looks at
the time ends by itself, and leaves what it has in order.
"""


@contextmanager
def time_limit() -> Iterator[None]:
    """
    End what takes longer than :data:`MOST_SECONDS`.

    Raises:
        TooSlowError: it took longer.
    """
    with _alarm(MOST_SECONDS, lambda: TooSlowError(f"it took more than {MOST_SECONDS:g} seconds")):
        yield


@contextmanager
def enforce_timeout(context: StepContext) -> Iterator[None]:
    """
    End a step's action that goes on :data:`OVERTIME` seconds after the step's timeout, if that has one.

    Raises:
        TimedOutError: it went on.
    """
    remaining = context.remaining()
    if remaining is None:
        yield
        return
    step = context.step
    message = (
        f"step '{step.id}' took longer than its timeout of {step.timeout:g} s, and did not end by itself"
    )
    with _alarm(remaining + OVERTIME, lambda: TimedOutError(message)):
        yield


@contextmanager
def _alarm(seconds: float, error: Callable[[], Exception]) -> Iterator[None]:
    """
    Raise ``error`` in what is inside when it has taken so many seconds.

    By a signal, which Python looks out for between two steps of its own, in system calls, and in the search
    for a pattern; code in C that does not return is not ended. Signals reach the main thread alone: in others
    there is no limit. A timer that was set already goes on afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    left = interval = 0.0
    over = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if not over:
            raise error()

    handler, began = signal.signal(signal.SIGALRM, stop), time.monotonic()
    try:
        left, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)
