"""Whether what a plugin made has what its fields promise; a plugin may be untyped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

Fits = Callable[[object], bool]


def check_fields(item: object) -> str | None:
    """Return which field of a dataclass of this package holds something else than it promises, and what."""
    kind: Any = type(item)
    for name, wanted, fits in _fields(kind):
        value = getattr(item, name)
        if not fits(value):
            return f"{type(item).__name__}.{name} is {value!r}, not {wanted}"
    return None


@cache
def _fields(kind: type) -> tuple[tuple[str, str, Fits], ...]:
    """Return the fields of which the kind can be told, each with what it promises, from the annotations."""
    if not is_dataclass(kind):
        return ()
    found = [(item.name, str(item.type), _test(str(item.type))) for item in fields(kind)]
    return tuple((name, wanted, fits) for name, wanted, fits in found if fits)


def _test(wanted: str) -> Fits | None:
    """Return what tells whether a value is what an annotation says; ``None`` if nothing does."""
    tests = [_test_one(part) for part in _ALTERNATIVES.split(wanted)]
    known = [test for test in tests if test is not None]
    return (lambda value: any(test(value) for test in known)) if len(known) == len(tests) else None


def _test_one(wanted: str) -> Fits | None:
    """Return the test for an annotation without alternatives; a list will do for a tuple."""
    if wanted == "None":
        return lambda value: value is None
    if wanted == "FunctionName":
        return lambda value: isinstance(value, str) and _FUNCTION_NAME.fullmatch(value) is not None
    if wanted.startswith("Literal["):
        return lambda value: isinstance(value, str) and repr(value) in wanted
    if wanted.startswith("tuple[str"):
        return lambda value: isinstance(value, tuple | list) and all(isinstance(item, str) for item in value)
    kind = next((kind for beginning, kind in _KINDS.items() if wanted.startswith(beginning)), None)
    if kind is None:
        return None
    return lambda value: isinstance(value, kind)


_ALTERNATIVES = re.compile(r" \| (?![^\[]*\])")
"""Between two alternatives of an annotation, outside of brackets."""
_FUNCTION_NAME = re.compile(r"\w+(\.\w+)*:\w+")
_KINDS: dict[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "HardwareKind": str,
    "Severity": str,
    "Json": Mapping,
    "Mapping[": Mapping,
    "tuple[": (tuple, list),
    "frozenset[": (frozenset, set, tuple, list),
    "Callable[": Callable,
}
