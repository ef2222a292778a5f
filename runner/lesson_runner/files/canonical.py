"""
Write data as canonical JSON, so that anybody can compute the same digest of it; and read it.

The format is RFC 8785 (JCS). It has no NaN, no infinities and no integers beyond 2^53: these become ``null``
and strings, because a digest must never fail for a value that a lesson may contain.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

MAX_JSON_VALUES = 1_000_000
"""Upper limit for values: each needs 100 to 250 bytes of memory; a record of 10,000 steps has 600,000."""
MAX_DEPTH = 100
"""Upper limit for nesting; YAML, from which plans are made, may be 20 levels deep."""
_LARGEST = 2**53 - 1
"""JSON readers disagree on larger integers."""


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
        value = int(value)  # 1e17 and 100000000000000000 are the same number in JSON
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_LARGEST <= value <= _LARGEST else str(value)
    return value if value is None or isinstance(value, bool) else str(value)


def parse_strict_json(data: bytes) -> Any:
    """
    Parse JSON that all readers understand in the same way.

    Raises:
        ValueError: it is not JSON, has a key twice in one object, is nested too deeply, or has more than
            :data:`MAX_JSON_VALUES` values.
    """
    check_count(data)
    try:
        value = json.loads(data, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    check_depth(value)
    return value


def check_count(data: bytes) -> None:
    """
    Check, before parsing, that JSON has at most :data:`MAX_JSON_VALUES` values.

    Raises:
        ValueError: it has more.
    """
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise ValueError(f"it has more than {MAX_JSON_VALUES:,} values")


def check_depth(value: Any) -> None:
    """
    Check that a value has at most :data:`MAX_DEPTH` nested levels.

    Raises:
        ValueError: it has more.
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


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} appears twice in one object")
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
