"""Check an action without running it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from lesson_runner.document.schema.validator import load_schema, schema_problem, validator_for
from lesson_runner.model import Expectation, Inspection, Json, check_fields
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.action_errors import FunctionNotFoundError, load

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+")
_UNKNOWN = "a parameter that does not exist"
_BY_TYPE: dict[str, Any] = {
    "string": "example",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "object": {},
    "null": None,
}
"""Values for required parameters that have neither a default nor an example."""


def check_action(action: Action, params: Json | None = None) -> list[str]:
    """
    Return the problems of an action, in plain words; the action is not run.

    Args:
        action: an action that a plugin returns from ``lesson_actions``.
        params: values for required parameters without a default, where the schema has no ``examples``.
    """
    return [f"action '{action.name}': {problem}" for problem in _problems(action, params or {})]


def _problems(action: Action, given: Json) -> Iterator[str]:
    if not _NAME.fullmatch(action.name):
        yield "the name is not 'plugin.verb' in lower-case letters"
    if not action.summary.strip() or "\n" in action.summary:
        yield "the summary is not one line of text"
    yield from _function("run", action.run, "params", "context")
    if action.checks is not None:
        yield from _function("checks", action.checks, "params")
    if problem := schema_problem(action.schema):
        yield f"the schema is not a JSON Schema: {problem}"
        return
    if "$comment" not in action.schema and not _rejects_unknown_params(action):
        yield (
            "the schema accepts unknown parameters, so a misspelt one is ignored: add "
            "'additionalProperties': False, or explain in a '$comment' why not"
        )
    examples, missing = _examples(action, given)
    for name in missing:
        yield f"the schema has no example of '{name}', which is required and has no default"
    layers = list(_layers(action))
    errors = [item for what, layer in layers for item in _schema_errors(action, what, {**examples, **layer})]
    yield from dict.fromkeys(errors)
    yield from _expectations(action)
    # A plan passes on only valid values, so the functions need not handle others.
    if not missing and not errors:
        for what, layer in layers:
            yield from _calls(action, what, {**examples, **layer})


def _function(name: str, function: Callable[..., object] | str, *arguments: str) -> Iterator[str]:
    """Yield the problems of a function, which may be given by name; its module is imported."""
    if not callable(function) and not isinstance(function, str):
        yield f"'{name}' cannot be called"
        return
    try:
        found = load(function)
        inspect.signature(found).bind(*arguments)
    except FunctionNotFoundError as error:
        yield f"'{name}': {error}"
    except TypeError:
        yield f"'{name}' does not accept the arguments ({', '.join(arguments)})"
    except ValueError:  # a function in C without a signature
        return
    except Exception as error:
        yield f"'{name}': importing '{function}' raised {type(error).__name__}: {error}"


def _rejects_unknown_params(action: Action) -> bool:
    validator = validator_for(action.schema)
    plain = [error.message for error in validator.iter_errors({})]
    return plain != [error.message for error in validator.iter_errors({_UNKNOWN: None})]


def _layers(action: Action) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the parameters that the action itself sets, each with their source."""
    yield "defaults", dict(action.defaults)
    for name, values in action.presets.items():
        for value, params in values.items():
            yield f"preset {name}={value}", {**action.defaults, **params, name: value}
    for profile, params in action.profiles.items():
        yield f"profile {profile}", {**action.defaults, **params}


def _examples(action: Action, given: Json) -> tuple[dict[str, Any], list[str]]:
    """Return values for required parameters without a default, and the parameters that remain without one."""
    found: dict[str, Any] = {}
    missing = []
    for name in action.schema.get("required", ()):
        schema = action.schema.get("properties", {}).get(name, {})
        if name in action.defaults:
            continue
        choices = [given[name]] if name in given else [*schema.get("examples", ()), *schema.get("enum", ())]
        choices += [schema["const"]] if "const" in schema else []
        kind = schema.get("type", "string")
        choices += [_BY_TYPE[item] for item in ([kind] if isinstance(kind, str) else kind)]
        whole = {"$defs": action.schema.get("$defs", {}), **schema}
        good = [value for value in choices if validator_for(whole).is_valid(value)]
        if good:
            found[name] = good[0]
        else:
            missing.append(name)
    return found, missing


def _schema_errors(action: Action, what: str, values: Json) -> Iterator[str]:
    for error in validator_for(action.schema).iter_errors(values):
        if error.validator == "required" and not error.path:  # reported as a missing example
            continue
        name = ".".join(map(str, error.path))
        yield f"{what}: {name + ': ' if name else ''}{error.message}"


def _expectations(action: Action) -> Iterator[str]:
    schema = load_schema("step")
    for item in action.expect:
        if not isinstance(item, Expectation):
            yield f"expect: {item!r} is not an Expectation"
            continue
        data = {item.matcher: item.argument, **({"when": dict(item.when)} if item.when else {})}
        whole = {"$defs": schema["$defs"], "$ref": "#/$defs/expectation"}
        yield from (f"expect: {error.message}" for error in validator_for(whole).iter_errors(data))


def _calls(action: Action, what: str, values: Json) -> Iterator[str]:
    """Yield the problems of calling the action's functions with these parameters."""

    def is_text(result: object) -> str | None:
        return None if isinstance(result, str) and result else f"returned {result!r}, not a line of text"

    def is_inspection(result: object) -> str | None:
        # It may report a problem, such as something missing that only a lesson can provide.
        if not isinstance(result, Inspection):
            return f"returned {result!r}, not an Inspection"
        return (
            f"returned an Inspection with a wrong field: {wrong}" if (wrong := check_fields(result)) else None
        )

    def are_permissions(result: Any) -> str | None:
        fine = isinstance(result, Iterable) and not isinstance(result, str)
        fine = fine and all(isinstance(item, str) for item in result)
        return None if fine else f"returned {result!r}, not a list of permissions"

    asks = action.permissions if callable(action.permissions) else None
    checks: tuple[tuple[str, Callable[[Json], object] | None, Callable[[Any], str | None]], ...] = (
        ("inspect", action.inspect, is_inspection),
        ("command", action.command, is_text),
        ("permissions", asks, are_permissions),
    )
    for name, function, judge in checks:
        if function is None:
            continue
        passed = deepcopy(dict(values))
        try:
            result = function(passed)
        except Exception as error:
            yield f"{what}: '{name}' raised {type(error).__name__}: {error}"
            continue
        if passed != values:
            yield f"{what}: '{name}' changed the parameters it was given"
        if problem := judge(result):
            yield f"{what}: '{name}' {problem}"
