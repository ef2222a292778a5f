"""
Download one file over HTTP, with limits that hold whatever the network does.

::

    NoAnswerError       nobody served the file: no route, no name, a refusing proxy, silence
    WrongAnswerError    a server answered, but not with the file

The difference matters: without a network a lesson may go on with another text, but a wrong file where the
right one should be is for a person to look at.
"""

from __future__ import annotations

import importlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 5.0
"""How long to wait for the first byte: enough for a slow line, short enough for a class without one."""
SILENCE_SECONDS = 10.0
"""How long a transfer that began may pause."""
TOTAL_SECONDS = 120.0
"""How long a transfer may take: 1.1 MB at 10 kB/s."""
CONNECT_SECONDS = 3.0
RETRY_AFTER_SECONDS = 0.3
GATEWAY_STATUS = frozenset({407, 429, 502, 503, 504, 511})
"""Answers of whoever stands between us and the file (proxies, rate limits, captive portals)."""

Progress = Callable[[int], None]
"""Called with the bytes so far."""


class _TransferError(Exception):
    def __init__(self, message: str, *, worth_repeating: bool = False) -> None:
        super().__init__(message)
        self.worth_repeating = worth_repeating


class NoAnswerError(_TransferError):
    """The file could not be reached; the text says why."""


class WrongAnswerError(_TransferError):
    """A server answered with something that is not the file; the text says what."""


class _Meter:
    """
    What ``pooch`` takes for a progress bar.

    It is told of every chunk of 1,024 bytes, sees from that whether the transfer is alive, and can stop it.
    """

    def __init__(self, limit: int) -> None:
        self.total = 0
        self.chunks = 0
        self.last = time.monotonic()
        self.limit = limit
        self.stopped = False

    def update(self, size: int) -> None:
        """Count a chunk."""
        self.last = time.monotonic()
        self.chunks += 1
        if self.stopped or self.chunks * size > self.limit:
            raise WrongAnswerError(f"it is longer than {self.limit} bytes")

    def reset(self) -> None:
        """Start from 0, as ``pooch`` does when all is there."""
        self.chunks = 0
        self.limit += self.total

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds."""

    answer: float = ANSWER_SECONDS
    silence: float = SILENCE_SECONDS
    total: float = TOTAL_SECONDS


def download(
    url: str, target: Path, *, limit: int, progress: Progress | None = None, limits: Limits | None = None
) -> None:
    """
    Write what ``url`` serves to ``target``.

    Args:
        limit: bytes, after which the answer is certainly not the file.

    Raises:
        NoAnswerError: nobody served it within the limits.
        WrongAnswerError: a server answered with an error, a forbidden redirect, or a part of the file.
    """
    limits = limits or Limits()
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise WrongAnswerError(f"{url!r} is not an http or https address")
    _library("pooch")  # not on the clock
    _library("requests")
    began = time.monotonic()
    try:
        _attempt(url, target, _Meter(limit), progress, limits)
    except (NoAnswerError, WrongAnswerError) as error:
        # Silence has used up the time; a quick failure may have been an accident.
        again = error.worth_repeating and time.monotonic() - began < limits.answer / 2
        if not again:
            raise
        time.sleep(RETRY_AFTER_SECONDS)
        _attempt(url, target, _Meter(limit), progress, limits)


def _attempt(url: str, target: Path, meter: _Meter, progress: Progress | None, limits: Limits) -> None:
    # In a thread of its own, because looking up a name cannot be given a time limit.
    failures: list[Exception] = []
    worker = threading.Thread(
        target=_transfer, args=(url, target, meter, limits, failures), name="download", daemon=True
    )
    began = time.monotonic()
    worker.start()
    while worker.is_alive():
        worker.join(0.05)
        now = time.monotonic()
        if progress and meter.chunks and target.exists():
            progress(target.stat().st_size)
        if not meter.chunks and now - began > limits.answer:
            trouble = f"no answer within {limits.answer:g} s"
        elif now - meter.last > limits.silence and meter.chunks:
            trouble = f"the server fell silent for {limits.silence:g} s"
        elif now - began > limits.total:
            trouble = f"not done within {limits.total:g} s"
        else:
            continue
        if worker.is_alive():
            meter.stopped = True
            raise NoAnswerError(trouble)
    if failures:
        raise failures[0]


def _transfer(url: str, target: Path, meter: _Meter, limits: Limits, failures: list[Exception]) -> None:
    answers: list[Any] = []

    def keep(answer: Any, **_: object) -> None:
        answers.append(answer)

    options = {"timeout": (CONNECT_SECONDS, limits.silence + 1), "hooks": {"response": keep}}
    try:
        _library("pooch").HTTPDownloader(progressbar=meter, **options)(url, str(target), None)
    except Exception as error:
        failures.append(_explained(error, target if meter.chunks else None))
    finally:
        for answer in answers:  # nobody else closes one that was not read to its end
            answer.close()


def _library(name: str) -> Any:
    """Import what takes half a second, and has no types, when it is needed."""
    return importlib.import_module(name)


def _explained(error: Exception, begun: Path | None) -> Exception:
    """Return what an exception of ``requests`` means to us; ``begun`` is the file, if something came."""
    errors = _library("requests.exceptions")
    if isinstance(error, errors.HTTPError):
        status = error.response.status_code
        kind = NoAnswerError if status in GATEWAY_STATUS else WrongAnswerError
        return kind(f"HTTP {status} {error.response.reason}", worth_repeating=status >= 500)
    if isinstance(
        error, errors.InvalidSchema | errors.InvalidURL | errors.MissingSchema | errors.TooManyRedirects
    ):
        return WrongAnswerError(f"a redirect that is not followed: {error}")
    if isinstance(error, errors.Timeout):
        return NoAnswerError(_reason(error))
    if isinstance(error, errors.ConnectionError | errors.ChunkedEncodingError | errors.ContentDecodingError):
        if begun is None:
            return NoAnswerError(_reason(error), worth_repeating=True)
        size = begun.stat().st_size if begun.exists() else 0
        return WrongAnswerError(f"the transfer broke off after {size} bytes", worth_repeating=True)
    if isinstance(error, errors.RequestException):
        return WrongAnswerError(f"{type(error).__name__}: {_reason(error)}")
    return error


def _reason(error: BaseException) -> str:
    """Return the innermost cause: the outer ones repeat the address and object ids."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _reason(inner)
    text = str(error.args[-1] if error.args else error)
    return re.sub(r"^\S*Connection\w*\([^)]*\): |^<[^>]*>: ", "", text)
