"""Judging has a time limit, and restores signals and timers."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lesson_runner.model import Expectation
from lesson_runner.run import time_limit as module
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.judge import Produced, judge
from lesson_runner.run.time_limit import TooSlowError, time_limit

YEARS = r"(a|a)*b"
"""Each further letter doubles the work."""
TEXT = "a" * 60


@pytest.fixture(autouse=True)
def no_timer_of_the_test_runner() -> Iterator[None]:
    """Suspend the timer and the handler that limit the test itself."""
    handler = signal.getsignal(signal.SIGALRM)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SECONDS", 0.05)


@pytest.mark.usefixtures("soon")
def test_a_pattern_that_is_searched_for_years() -> None:
    with pytest.raises(TooSlowError, match=r"^it took more than 0\.05 seconds$"):
        judge([Expectation("regex", YEARS)], Produced(output=TEXT), {})
    with pytest.raises(TooSlowError):
        capture_metrics({"n": f"({YEARS})"}, TEXT)


@pytest.mark.usefixtures("soon")
def test_fast_code_is_not_interrupted_later() -> None:
    with time_limit():
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    with pytest.raises(TooSlowError), time_limit():
        re.search(YEARS, TEXT)


def test_the_previous_handler_is_restored() -> None:
    calls: list[int] = []

    def mine(number: int, frame: Any) -> None:
        calls.append(number)

    signal.signal(signal.SIGALRM, mine)
    with time_limit():
        assert signal.getsignal(signal.SIGALRM) is not mine
    assert signal.getsignal(signal.SIGALRM) is mine
    with pytest.raises(ZeroDivisionError), time_limit():
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGALRM) is mine
    assert calls == []


@pytest.mark.parametrize("interval", [0.0, 500.0])
def test_an_existing_timer_continues(interval: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 1000.0, interval)
    began = time.monotonic()
    with time_limit():
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= module.MOST_SECONDS
        while time.monotonic() - began < 0.05:
            pass
    left, again = signal.getitimer(signal.ITIMER_REAL)
    assert 1000.0 - (time.monotonic() - began) - 0.04 <= left <= 1000.0 - 0.05 + 0.01
    assert again == interval


def test_a_timer_that_expired_meanwhile_fires_at_once() -> None:
    rung = threading.Event()
    signal.signal(signal.SIGALRM, lambda number, frame: rung.set())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    began = time.monotonic()
    with time_limit():
        while time.monotonic() - began < 0.1:
            pass
        assert not rung.is_set()
    assert rung.wait(10)


@pytest.mark.usefixtures("soon")
def test_in_another_thread_there_is_no_limit() -> None:
    found: list[bool] = []

    def work() -> None:
        with time_limit():
            began = time.monotonic()
            while time.monotonic() - began < 0.1:
                pass
            found.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
