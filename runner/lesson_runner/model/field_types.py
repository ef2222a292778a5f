"""Check the field types of objects that plugins created; a plugin may be untyped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args

from lesson_runner.model.roles import Role

Predicate = Callable[[object], bool]


def check_fields(item: object) -> str | None:
    """Return a message about the first field of a dataclass that has a value of the wrong type, if any."""
    kind: Any = type(item)
    for name, wanted, accepts in _fields(kind):
        value = getattr(item, name)
        if not accepts(value):
            return f"{type(item).__name__}.{name} is {value!r}, not {wanted}"
    return None


@cache
def _fields(kind: type) -> tuple[tuple[str, str, Predicate], ...]:
    """Return the fields whose annotations can be checked, each with its annotation and its check."""
    if not is_dataclass(kind):
        return ()
    found = [(item.name, str(item.type), _predicate(str(item.type))) for item in fields(kind)]
    return tuple((name, _WORDS.get(wanted, wanted), accepts) for name, wanted, accepts in found if accepts)


def _predicate(wanted: str) -> Predicate | None:
    """Return a check for values of an annotation; ``None`` if it cannot be checked."""
    predicates = [_predicate_one(part) for part in _ALTERNATIVES.split(wanted)]
    known = [accepts for accepts in predicates if accepts is not None]
    return (lambda value: any(accepts(value) for accepts in known)) if len(known) == len(predicates) else None


def _predicate_one(wanted: str) -> Predicate | None:
    """Return a check for an annotation without alternatives; where it says tuple, a list is accepted too."""
    if wanted == "None":
        return lambda value: value is None
    if wanted == "Severity":
        return lambda value: isinstance(value, str) and value in _SEVERITIES
    if wanted == "Role":
        return lambda value: isinstance(value, str) and value in get_args(Role)
    if wanted == "Location":
        return lambda value: type(value).__name__ == "Location"
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
"""The separator between two alternatives of an annotation, outside brackets."""
_SEVERITIES = ("error", "warning", "info")
_WORDS = {
    "Severity": f"one of {', '.join(_SEVERITIES)}",
    "Role": f"one of {', '.join(get_args(Role))}",
}
"""How a message describes an annotation whose name says too little."""
_FUNCTION_NAME = re.compile(r"\w+(\.\w+)*:\w+")
_KINDS: dict[str, Any] = {
    "str": str,
    "int": int,
    "bool": bool,
    "HardwareKind": str,
    "Json": Mapping,
    "Mapping[": Mapping,
    "tuple[": (tuple, list),
    "frozenset[": (frozenset, set, tuple, list),
    "Callable[": Callable,
}
