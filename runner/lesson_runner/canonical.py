"""
One way to write data as bytes, so that a digest of it can be computed again by anybody.

The form is JSON as RFC 8785 (JCS) writes it. JSON has no NaN, no infinities and no whole numbers beyond 2^53:
those become ``null`` and strings here, because a digest must never fail for a value that a lesson may hold.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

_LARGEST = 2**53 - 1
"""Beyond this, whole numbers are not the same in every reader of JSON."""


def canonical(data: Any) -> bytes:
    """Return ``data`` as canonical JSON (RFC 8785)."""
    import rfc8785

    return rfc8785.dumps(_fit(data))


def digest_of(data: Any) -> str:
    """Return the sha256, in hex, of ``data`` as canonical JSON."""
    return hashlib.sha256(canonical(data)).hexdigest()


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_fit(str(key)): _fit(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_LARGEST <= value <= _LARGEST else str(value)
    return value if value is None or isinstance(value, bool) else str(value)
