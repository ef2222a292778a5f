"""Which lesson and which plan it is: digests that anybody can compute again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from lesson_runner.document.frontmatter import split
from lesson_runner.files.canonical import digest_of
from lesson_runner.model import Lesson, PlannedStep

WRITTEN_BACK = frozenset({"status", "validatedOn", "validationDate", "validationNotes"})
"""Keys that say what validating found; writing them must not make it another lesson."""
_PROSE = frozenset(
    {
        *("title", "location", "why", "look_for", "layers", "command", "source", "absorbed", "claims"),
        "claimed_by",
    }
)
"""What a planned step has for people, and what follows from the rest."""


def content_digest(lesson: Lesson) -> str:
    """
    Return the sha256 of what a lesson says.

    It is that of ``{"body": …, "frontmatter": …}`` as canonical JSON: the frontmatter as parsed, without
    :data:`WRITTEN_BACK`, and the body with LF line ends. So comments, key order and quoting of the
    frontmatter do not count. The body is the text that the steps were parsed from, and different values have
    different digests.
    """
    kept = {key: _distinct(value) for key, value in lesson.frontmatter.items() if key not in WRITTEN_BACK}
    return digest_of({"frontmatter": kept, "body": split(lesson.text, lesson.path).body})


def _distinct(value: Any) -> Any:
    """
    Return YAML's data as JSON that no other data has.

    Canonical JSON writes 1.0 as 1, and has no infinities, no large whole numbers and no halves of surrogate
    pairs. Such values become strings that begin with a NUL, and so do strings that begin with one already.
    """
    if isinstance(value, dict):
        return {_distinct(key): _distinct(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_distinct(item) for item in value]
    if isinstance(value, float) and (value.is_integer() or not math.isfinite(value)):
        return f"\0float {value!r}"
    if isinstance(value, int) and abs(value) >= 2**53:
        return f"\0int {value}"
    if isinstance(value, str):
        whole = value.encode("utf-8", "replace").decode() == value  # without halves of surrogate pairs
        return value if whole and not value.startswith("\0") else f"\0text {value!a}"
    return value


def plan_content(steps: Iterable[PlannedStep]) -> list[dict[str, Any]]:
    """Return what will happen, fit for JSON; titles, prose and line numbers do not count."""
    names = [field.name for field in dataclasses.fields(PlannedStep) if field.name not in _PROSE]
    return [_plain({name: getattr(step, name) for name in names}) for step in steps]


def plan_digest(steps: Iterable[PlannedStep]) -> str:
    """Return the sha256 of :func:`plan_content` as canonical JSON."""
    return digest_of(plan_content(steps))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
