"""
Enforce time limits on code that does not check the clock: judging (searching for a badly written pattern can
take years) and the actions of plugins.
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
"""Limit for all expectations of a step together; they normally take milliseconds."""


class TooSlowError(Exception):
    """Judging took too long."""


OVERTIME = 60.0
"""
Seconds that an action may run past its step's timeout before it is interrupted. An action that checks the
time stops by itself, and leaves its results in order.
"""


@contextmanager
def time_limit() -> Iterator[None]:
    """
    Interrupt the body after :data:`MOST_SECONDS`.

    Raises:
        TooSlowError: the body took longer.
    """
    with _alarm(MOST_SECONDS, lambda: TooSlowError(f"it took more than {MOST_SECONDS:g} seconds")):
        yield


@contextmanager
def enforce_timeout(context: StepContext) -> Iterator[None]:
    """
    Interrupt an action that runs :data:`OVERTIME` seconds past its step's timeout, if the step has one.

    Raises:
        TimedOutError: the action was interrupted.
    """
    remaining = context.remaining()
    if remaining is None:
        yield
        return
    step = context.step
    message = (
        f"step '{step.id}' took longer than its timeout of {step.timeout:g} s, and did not stop by itself"
    )
    with _alarm(remaining + OVERTIME, lambda: TimedOutError(message)):
        yield


@contextmanager
def _alarm(seconds: float, error: Callable[[], Exception]) -> Iterator[None]:
    """
    Raise ``error`` in the body after so many seconds.

    This uses a signal, which Python checks for between bytecodes, in system calls, and in pattern searches;
    C code that does not return is not interrupted. Signals reach only the main thread, so other threads have
    no limit. A timer that was already set continues afterwards.
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
