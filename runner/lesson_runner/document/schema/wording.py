"""Explain errors of the JSON Schema validator to authors of lessons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # jsonschema's stubs call every attribute of an error possibly unset, which a raised one never is.
    ValidationError = Any


def sentence(error: ValidationError) -> str:
    """Return what a value is and what it should be."""
    value, expected = json.dumps(error.instance, ensure_ascii=False, default=str), error.validator_value
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


def rewritten(error: ValidationError) -> str | None:
    """Return how to write a value of the wrong type, if that is clear."""
    value, kind = error.instance, error.validator_value
    if error.validator != "type" or isinstance(value, list | dict) or value is None:
        return None
    plain = value if isinstance(value, str) else json.dumps(value, default=str)
    if kind == "array":
        return f"write [{plain}]"
    if kind == "string":
        return f'put it in quotes: "{plain}"'
    required: list[str] = error.schema.get("required", []) if isinstance(error.schema, Mapping) else []
    if kind == "object" and len(required) == 1:
        return f"write {{{required[0]}: {plain}}}"
    if kind in ("integer", "number") and plain.isdecimal():
        return f"write {plain}, without quotes"
    return None


def meaning(error: ValidationError) -> str | None:
    """Return the purpose of a value, from its schema's description."""
    described = error.schema.get("description") if isinstance(error.schema, Mapping) else None
    return f"expected here: {described.rstrip('.')}" if described else None
