"""Digests that identify a lesson and a plan; anybody can recompute them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from lesson_runner.document.frontmatter import split
from lesson_runner.files.canonical import digest_of
from lesson_runner.model import Lesson, Need, PlannedStep

WRITTEN_BACK = frozenset({"status", "validatedOn", "validationDate", "validationNotes"})
"""Keys that record a validation; writing them must not change the digest."""
_PROSE = frozenset(
    {
        *("title", "location", "why", "look_for", "layers", "command", "source", "absorbed", "claims"),
        *("claimed_by", "places", "shown", "hint"),
    }
)
"""Fields of a planned step and its expectations that are for readers, or follow from the other fields."""
_NEWER = frozenset({"cleanup"})
"""
Fields that count only if they are set, so that the digests of older plans stay as they are. Of the roles,
only ``system`` counts.
"""


def content_digest(lesson: Lesson) -> str:
    """
    Return the sha256 of a lesson's content.

    This is the digest of ``{"body": …, "frontmatter": …}`` as canonical JSON: the frontmatter as parsed,
    without :data:`WRITTEN_BACK`, and the body with LF line endings. So comments, key order and quoting in the
    frontmatter do not count. The body is the text that the steps were parsed from. If the lesson has a
    sidecar, its text is there too, as ``"sidecar"``. Different values have different digests.
    """
    kept = {key: _distinct(value) for key, value in lesson.frontmatter.items() if key not in WRITTEN_BACK}
    sidecar = {"sidecar": lesson.sidecar.text} if lesson.sidecar else {}
    return digest_of({"frontmatter": kept, "body": split(lesson.text, lesson.path).body, **sidecar})


def _distinct(value: Any) -> Any:
    """
    Return data from YAML as JSON, so that different data gives different JSON.

    Canonical JSON writes 1.0 as 1, and cannot express infinities, large integers or lone surrogates. Such
    values become strings that start with a NUL; strings that already start with a NUL are marked too.
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
        whole = value.encode("utf-8", "replace").decode() == value  # no lone surrogates
        return value if whole and not value.startswith("\0") else f"\0text {value!a}"
    return value


def plan_content(steps: Iterable[PlannedStep]) -> list[dict[str, Any]]:
    """Return what the steps will do, as JSON data; titles, prose and line numbers do not count."""
    return [_plain(step) for step in steps]


def plan_digest(steps: Iterable[PlannedStep]) -> str:
    """Return the sha256 of :func:`plan_content` as canonical JSON."""
    return digest_of(plan_content(steps))


def _plain(value: Any) -> Any:
    if isinstance(value, Need):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: field.default for field in dataclasses.fields(value)}
        kept = {name: getattr(value, name) for name in fields if name not in _PROSE}
        if kept.get("role") != "system":
            kept.pop("role", None)
        return {
            name: _plain(item) for name, item in kept.items() if name not in _NEWER or item != fields[name]
        }
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
