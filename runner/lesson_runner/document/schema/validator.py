"""JSON Schema validation with messages for people: where, what was expected, and how to fix it."""

from __future__ import annotations

import json
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lesson_runner.document.schema.wording import (
    as_written,
    meaning,
    required_keys,
    rewritten,
    sentence,
)
from lesson_runner.files.folders import schemas_folder
from lesson_runner.model import Diagnostic, Edit, Json, Location, Severity
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import closest, did_you_mean, spelt_alike

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry

    # jsonschema's stubs call every attribute of an error possibly unset, which a raised one never is.
    ValidationError = Any

KeyPath = tuple[str | int, ...]
Made = TypeVar("Made")
_REMEMBERED = 500
_PART = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""An escaped character, a set of characters, or ``$``."""


@cache
def load_schema(name: str) -> dict[str, Any]:
    """
    Return a schema of this project by its short name, such as ``lesson``; always the same object.

    Raises:
        LessonError: there is no such schema.
    """
    folder = schemas_folder()
    path = folder / f"{name}.schema.json"
    if not path.is_file():
        known = ", ".join(sorted(item.name.split(".")[0] for item in folder.glob("*.schema.json")))
        raise LessonError(f"there is no schema '{name}'", fix=f"one of: {known}")
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


@cache
def _registry() -> Registry[Any]:
    """Return a registry of the project's schemas, so that ``$ref`` never uses the network."""
    from referencing import Registry, Resource

    names = [path.name.split(".")[0] for path in sorted(schemas_folder().glob("*.schema.json"))]
    resources = [(f"{name}.schema.json", Resource.from_contents(load_schema(name))) for name in names]
    return Registry().with_resources(resources)


def once_per_schema(make: Callable[[Json], Made]) -> Callable[[Json], Made]:
    """Cache a function of a schema object, because creating a validator takes longer than using it."""
    made: OrderedDict[int, tuple[Json, Made]] = OrderedDict()

    def remembered(schema: Json) -> Made:
        # The cache keeps the schema itself, so that no other object can get its id.
        if id(schema) in made:
            made.move_to_end(id(schema))
            return made[id(schema)][1]
        result = make(schema)
        made[id(schema)] = schema, result
        if len(made) > _REMEMBERED:
            made.popitem(last=False)
        return result

    return remembered


@once_per_schema
def validator_for(schema: Json) -> Draft202012Validator:
    """Return a validator that resolves ``$ref`` only within the project's schemas."""
    return _validator_class()(schema, registry=_registry(), format_checker=_formats())


@cache
def _formats() -> FormatChecker:
    """Return jsonschema's formats; a pattern that Python cannot compile is not a ``regex``."""
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(())
    formats.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)

    def is_regex(instance: object) -> bool:
        with warnings.catch_warnings():  # Python warns of `[[` and `--`, which may mean more in the future
            warnings.simplefilter("ignore", FutureWarning)
            return not isinstance(instance, str) or bool(re.compile(instance))

    # These are raised for `a{99999999999}`, for a thousand brackets, and for `(?a)(?u)`, for example.
    formats.checks("regex", raises=(re.error, OverflowError, RecursionError, ValueError))(is_regex)
    return formats


@cache
def _validator_class() -> type[Draft202012Validator]:
    """Return jsonschema's validator, changed so that ``$`` in a pattern matches only at the very end."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(validator: Any, wanted: str, instance: Any, _: Json) -> Iterator[ValidationError]:
        if validator.is_type(instance, "string") and not _as_in_javascript(wanted).search(instance):
            yield ValidationError(f"{instance!r} does not match {wanted!r}")

    make: Callable[..., type[Draft202012Validator]] = extend
    return make(Draft202012Validator, {"pattern": pattern})


@cache
def _as_in_javascript(pattern: str) -> re.Pattern[str]:
    """
    Return a pattern in which ``$`` matches only at the very end, as in JSON Schema (ECMA-262).

    In Python it also matches before a final line end, so that ``a\\n`` would match like ``a``.
    """
    return re.compile(_PART.sub(lambda match: r"\Z" if match[0] == "$" else match[0], pattern))


def schema_problem(schema: Any) -> str | None:
    """Return why ``schema`` is not a JSON Schema, or ``None`` if it is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema, format_checker=_formats())
    except SchemaError as error:
        return error.message
    return None


def check(
    data: Any,
    schema: Mapping[str, Any],
    positions: Mapping[KeyPath, Location],
    *,
    what: str,
    base: KeyPath = (),
    unknown_key: Severity = "error",
) -> Iterator[Diagnostic]:
    """
    Yield the diagnostics about ``data``.

    Args:
        data: the data to check.
        schema: the schema it must satisfy.
        positions: the place of each value in the document.
        what: the name of the data in messages, such as ``the frontmatter``.
        base: the path of ``data`` in the document.
        unknown_key: the severity of a key that the schema does not have.
    """
    found: dict[Diagnostic, None] = {}  # two missing keys are two errors, and each names both
    errors = sorted(validator_for(schema).iter_errors(data), key=lambda item: list(map(str, item.path)))
    misspelt = _misspelt(errors)
    for error in errors:
        found.update(dict.fromkeys(_explain(_deepest(error), positions, what, base, unknown_key, misspelt)))
    yield from found


def first_error(
    data: Any, schema: Mapping[str, Any], positions: Mapping[KeyPath, Location], *, what: str
) -> Diagnostic | None:
    """
    Return one error in ``data``, or ``None`` if there is none. Unknown keys are allowed.

    It stops at the first error, so that data with very many errors costs no more than valid data.

    Args:
        data: the data to check.
        schema: the schema it must satisfy.
        positions: the place of each value in the document.
        what: the name of the data in messages.
    """
    for error in validator_for(schema).iter_errors(data):
        if error.validator != "additionalProperties":
            for problem in _explain(_deepest(error), positions, what, (), "warning", {}):
                if problem.severity == "error":
                    return problem
    return None


def _misspelt(errors: Iterable[ValidationError]) -> dict[KeyPath, str]:
    """Return the unknown keys that are close to a missing required key, which is one mistake, not two."""
    missing: dict[KeyPath, set[str]] = {}
    for error in errors:
        if error.validator in ("required", "anyOf") and isinstance(error.instance, dict):
            wanted = error.validator_value
            keys = set(wanted if error.validator == "required" else required_keys(wanted))
            missing.setdefault(tuple(error.absolute_path), set()).update(keys - set(error.instance))
    meant: dict[KeyPath, str] = {}
    for error in errors:
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            known = sorted(set(error.schema.get("properties", {})) - set(error.instance))
            for key in sorted(set(error.instance) - set(error.schema.get("properties", {}))):
                if (near := closest(key, known)) in missing.get(path, ()) and near is not None:
                    meant[(*path, key)] = near
    return meant


def _deepest(error: ValidationError) -> ValidationError:
    """Return the most specific part of an ``anyOf`` error, or the error itself."""
    from jsonschema.exceptions import best_match

    if (
        error.validator in ("anyOf", "oneOf")
        and error.context
        and "required" not in str(error.validator_value)
    ):
        return best_match([error]) or error
    return error


def _explain(
    error: ValidationError,
    positions: Mapping[KeyPath, Location],
    what: str,
    base: KeyPath,
    unknown: Severity,
    misspelt: Mapping[KeyPath, str],
) -> Iterator[Diagnostic]:
    own = tuple(error.absolute_path)
    meant = {name for path, name in misspelt.items() if path[:-1] == own}
    path = (*base, *error.absolute_path)
    place = place_of(positions, path)
    name = _dotted(tuple(error.absolute_path))
    what = f"{what}: {name}" if name else what
    value = as_written(error.instance, path, positions)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(known)):
            hint = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
            where = place_of(positions, (*path, key))
            edits = _respelt(key, known, where)
            severity: Severity = "error" if (*own, key) in misspelt else unknown
            yield Diagnostic("unknown-key", severity, f"{what}: unknown key '{key}'", where, hint, edits)
    elif error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance) - meant)
        for key in missing:
            described = error.schema.get("properties", {}).get(key, {}).get("description", "")
            yield Diagnostic(
                "missing-key", "error", f"{what}: '{key}' is missing", place, described.rstrip(".") or None
            )
    elif error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        fix = did_you_mean(str(error.instance), allowed)
        shown = repr(error.instance) if isinstance(error.instance, str) else value
        message = f"{what}: {shown} is not allowed; expected one of {', '.join(allowed)}"
        edits = _respelt(error.instance, allowed, place)
        if own and isinstance(own[-1], str):  # the place of a value is that of its key
            edits = tuple(Edit(place, f"{own[-1]}: {edit.old}", f"{own[-1]}: {edit.new}") for edit in edits)
        yield Diagnostic("wrong-value", "error", message, place, fix, edits)
    elif not (error.validator == "anyOf" and meant):
        fix = rewritten(error, value) or meaning(error)
        yield Diagnostic("wrong-value", "error", f"{what}: {sentence(error, value)}", place, fix)


def _respelt(name: object, known: list[str], place: Location) -> tuple[Edit, ...]:
    """Return the edit to the only known name with almost the same spelling as ``name``, if there is one."""
    same = spelt_alike(name, known) if isinstance(name, str) else []
    return (Edit(place, str(name), same[0]),) if len(same) == 1 else ()


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".")


def place_of(positions: Mapping[KeyPath, Location], path: KeyPath) -> Location:
    """Return the place of ``path``, or of the innermost parent that has one."""
    for length in range(len(path), -1, -1):
        if path[:length] in positions:
            return positions[path[:length]]
    return next(iter(positions.values()), Location(Path("?"), 1))
