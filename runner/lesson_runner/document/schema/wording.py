"""Explain errors of the JSON Schema validator to authors of lessons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lesson_runner.document.yaml_text import KeyPath
from lesson_runner.model import Location

if TYPE_CHECKING:
    # jsonschema's stubs call every attribute of an error possibly unset, which a raised one never is.
    ValidationError = Any

_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
"""Words that are truth values in YAML 1.1, and text in YAML 1.2."""


def as_written(value: Any, path: KeyPath, positions: Mapping[KeyPath, Location]) -> str:
    """Return a value for a message: as JSON, but numbers and the like as the file has them."""
    if isinstance(value, dict):
        items = (f"{_json(key)}: {as_written(item, (*path, key), positions)}" for key, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(as_written(item, (*path, n), positions) for n, item in enumerate(value))}]"
    written = positions[path].written if path in positions else None
    if written is None:
        return _json(value)
    return written or "an empty value"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def sentence(error: ValidationError, value: str) -> str:
    """
    Return what a value is and what it should be.

    Args:
        error: what the validator found.
        value: the value, from :func:`as_written`.
    """
    expected = error.validator_value
    shown = value if len(value) <= 60 else f"{value[:57]}…"
    sentences = {
        "type": f"{shown} is not {_article(expected)}",
        "pattern": f"{shown} {_form(error)}",
        "minItems": f"needs at least {expected} item{'s' if expected != 1 else ''}",
        "minLength": "must not be empty",
        "minimum": f"{shown} is less than {expected}",
        "maximum": f"{shown} is more than {expected}",
        "exclusiveMinimum": f"{shown} is not more than {expected}",
        "exclusiveMaximum": f"{shown} is not less than {expected}",
        "uniqueItems": f"{shown} contains an item twice",
        "format": f"{shown} is not a {expected}",
        "const": f"{shown} is not {expected!r}",
        "maxProperties": f"more than {expected} key in one item",
        "minProperties": f"needs at least {expected} key",
        "anyOf": f"needs one of: {', '.join(required_keys(expected))}",
    }
    return str(sentences.get(str(error.validator), error.message))


def required_keys(alternatives: object) -> list[str]:
    """Return the keys that the alternatives of an ``anyOf`` require."""
    items = alternatives if isinstance(alternatives, list) else []
    return [key for item in items if isinstance(item, Mapping) for key in item.get("required", ())]


def _article(kind: object) -> str:
    names = {
        "string": "text",
        "array": "a list",
        "object": "a mapping",
        "integer": "a whole number",
        "boolean": "true or false",
    }
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(names.get(str(item), f"a {item}") for item in kinds)


def _form(error: ValidationError) -> str:
    """Return how a text must look: by the schema's examples if it has some, or else by its pattern."""
    examples = error.schema.get("examples") if isinstance(error.schema, Mapping) else None
    if examples:
        return f"is not written like {' or '.join(map(str, examples))}"
    return f"does not match {error.validator_value}"


def rewritten(error: ValidationError, shown: str) -> str | None:
    """
    Return how to write a value of the wrong type, if that is clear.

    Args:
        error: what the validator found.
        shown: the value, from :func:`as_written`.
    """
    value, kind = error.instance, error.validator_value
    if error.validator != "type" or isinstance(value, list | dict):
        return None
    plain = value if isinstance(value, str) and shown == _json(value) else shown
    if value is None and plain not in ("~", "null", "Null", "NULL"):
        return None
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if kind == "array":
        return f"write [{_quoted(plain, value, schema.get('items'))}]"
    if kind == "string":
        return f'put it in quotes: "{plain}"'
    if kind == "boolean" and plain.lower() in _TRUTH:
        return f"write {_TRUTH[plain.lower()]}"
    required: list[str] = schema.get("required", [])
    if kind == "object" and len(required) == 1:
        wanted = schema.get("properties", {}).get(required[0])
        return f"write {{{required[0]}: {_quoted(plain, value, wanted)}}}"
    if kind in ("integer", "number") and plain.isdecimal():
        return f"write {plain}, without quotes"
    return None


def _quoted(plain: str, value: object, wanted: object) -> str:
    """Return a value in quotes if it is no text, and its schema wants text."""
    is_text = isinstance(wanted, Mapping) and wanted.get("type") == "string"
    return f'"{plain}"' if is_text and not isinstance(value, str) else plain


def meaning(error: ValidationError) -> str | None:
    """Return the purpose of a value, from its schema's description."""
    described = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return f"expected here: {described.rstrip('.')}" if described else None
