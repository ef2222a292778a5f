"""
Download one file over HTTP, with time and size limits that always hold.

::

    NoAnswerError       the file was unreachable: no route, unknown host, proxy refusal, timeout
    WrongAnswerError    a server answered, but not with the file

The difference matters: without a network a lesson may continue with another text, but a person has to look
into a wrong file at the right address.
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
"""Time limit for the first byte: enough for a slow connection, short enough for a class without one."""
SILENCE_SECONDS = 10.0
"""Time limit for a pause in a transfer."""
TOTAL_SECONDS = 120.0
"""Time limit for a transfer: 1.1 MB at 10 kB/s."""
CONNECT_SECONDS = 3.0
RETRY_AFTER_SECONDS = 0.3
CHUNK = 1024
"""Bytes to read at once; small, so that a slow transfer is seen to progress."""
GATEWAY_STATUS = frozenset({407, 429, 502, 503, 504, 511})
"""Status codes from intermediaries (proxies, rate limits, captive portals), not from the server."""

Progress = Callable[[int], None]
"""Called with the number of bytes so far."""


class _TransferError(Exception):
    def __init__(self, message: str, *, worth_repeating: bool = False) -> None:
        super().__init__(message)
        self.worth_repeating = worth_repeating


class NoAnswerError(_TransferError):
    """The file could not be reached; the message says why."""


class WrongAnswerError(_TransferError):
    """A server answered with something other than the file; the message says what."""


class _Meter:
    """Tracks the progress of a transfer, and can stop it."""

    def __init__(self, limit: int) -> None:
        self.done = 0
        self.last = time.monotonic()
        self.limit = limit
        self.stopped = False

    def update(self, size: int) -> None:
        """Count a chunk."""
        self.last = time.monotonic()
        self.done += size
        if self.stopped or self.done > self.limit:
            raise WrongAnswerError(f"it is longer than {self.limit} bytes")


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds."""

    answer: float = ANSWER_SECONDS
    silence: float = SILENCE_SECONDS
    total: float = TOTAL_SECONDS


def download(
    url: str, target: Path, *, limit: int, progress: Progress | None = None, limits: Limits | None = None
) -> None:
    """
    Write what ``url`` serves to ``target``.

    Args:
        limit: size in bytes; a longer answer is certainly not the file.

    Raises:
        NoAnswerError: the file could not be reached within the limits.
        WrongAnswerError: a server answered with an error, a forbidden redirect, or an incomplete file.
    """
    limits = limits or Limits()
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise WrongAnswerError(f"{url!r} is not an http or https address")
    _library("requests")  # import time does not count
    began = time.monotonic()
    try:
        _attempt(url, target, _Meter(limit), progress, limits)
    except (NoAnswerError, WrongAnswerError) as error:
        # Only quick failures are retried: a timeout has used up the time.
        retry = error.worth_repeating and time.monotonic() - began < limits.answer / 2
        if not retry:
            raise
        time.sleep(RETRY_AFTER_SECONDS)
        _attempt(url, target, _Meter(limit), progress, limits)


def _attempt(url: str, target: Path, meter: _Meter, progress: Progress | None, limits: Limits) -> None:
    # In a separate thread, because a DNS lookup has no time limit.
    failures: list[Exception] = []
    worker = threading.Thread(
        target=_transfer, args=(url, target, meter, limits, failures), name="download", daemon=True
    )
    began = time.monotonic()
    worker.start()
    while worker.is_alive():
        worker.join(0.05)
        now = time.monotonic()
        if progress and meter.done:
            progress(meter.done)
        if not meter.done and now - began > limits.answer:
            trouble = f"no answer within {limits.answer:g} s"
        elif now - meter.last > limits.silence and meter.done:
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
    try:
        with _session(url) as session, target.open("wb") as file:
            timeout = (CONNECT_SECONDS, limits.silence + 1)
            with session.get(url, stream=True, timeout=timeout) as answer:
                answer.raise_for_status()
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    file.flush()
                    meter.update(len(chunk))
    except Exception as error:
        failures.append(_explained(error, target if meter.done else None))


def _session(url: str) -> Any:
    """Return a session that sends no credentials except those in the address, which a lesson may contain."""
    requests = _library("requests")
    session = requests.Session()
    user, password = requests.utils.get_auth_from_url(url)
    # Any value here keeps requests from reading ~/.netrc.
    session.auth = (user, password) if user or password else _unchanged
    session.rebuild_auth = lambda request, _: request.headers.pop("Authorization", None)
    session.hooks["response"].append(_skip_body)
    return session


def _unchanged(request: Any) -> Any:
    return request


def _skip_body(answer: Any, **_: object) -> None:
    if answer.is_redirect:  # requests would read all of it, regardless of its size
        answer.close()


def _library(name: str) -> Any:
    """Import a library on demand: it takes half a second and has no types."""
    return importlib.import_module(name)


def _explained(error: Exception, partial: Path | None) -> Exception:
    """Translate an exception of ``requests``; ``partial`` is the file, if any bytes arrived."""
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
        if partial is None:
            return NoAnswerError(_reason(error), worth_repeating=True)
        size = partial.stat().st_size if partial.exists() else 0
        return WrongAnswerError(f"the transfer broke off after {size} bytes", worth_repeating=True)
    if isinstance(error, errors.RequestException):
        return WrongAnswerError(f"{type(error).__name__}: {_reason(error)}")
    return error


def _reason(error: BaseException) -> str:
    """Return the innermost cause; the outer messages repeat the address and object ids."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _reason(inner)
    text = str(error.args[-1] if error.args else error)
    return re.sub(r"^\S*Connection\w*\([^)]*\): |^<[^>]*>: ", "", text)
