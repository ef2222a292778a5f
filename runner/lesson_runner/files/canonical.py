"""
One way to write data as bytes, so that a digest of it can be computed again by anybody; and to read it.

The form is JSON as RFC 8785 (JCS) writes it. JSON has no NaN, no infinities and no whole numbers beyond 2^53:
those become ``null`` and strings here, because a digest must never fail for a value that a lesson may hold.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MAX_JSON_VALUES = 1_000_000
"""Values that JSON may hold: 100 to 250 bytes of memory each, and a record of 10,000 steps has 600,000."""
MAX_DEPTH = 100
"""No JSON of ours is nested as deeply; YAML, which plans come from, may be 20 levels deep."""
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
        if not math.isfinite(value):
            return None
        if not value.is_integer():
            return value
        value = int(value)  # a reader of JSON does not tell 1e17 from 100000000000000000
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_LARGEST <= value <= _LARGEST else str(value)
    return value if value is None or isinstance(value, bool) else str(value)


def parse_json(data: bytes) -> Any:
    """
    Return what JSON says, if every reader of it understands the same.

    Raises:
        ValueError: it is not JSON, has a key twice in one object, is nested too deeply, or has more than
            :data:`MAX_JSON_VALUES` values.
    """
    check_count(data)
    try:
        value = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    check_depth(value)
    return value


def check_count(data: bytes) -> None:
    """
    Check that JSON has no more than :data:`MAX_JSON_VALUES` values, before it is parsed.

    Raises:
        ValueError: it has more.
    """
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise ValueError(f"it has more than {MAX_JSON_VALUES:,} values")


def check_depth(value: Any) -> None:
    """
    Check that JSON is not nested more than :data:`MAX_DEPTH` deep.

    Raises:
        ValueError: it is.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _inside(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
