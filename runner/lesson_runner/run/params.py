"""Resolve a step's parameters from layers, each of which keeps what it set."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesson_runner.model import ActionCall, Json, Layer, Lesson, PlannedStep, Step
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import suggest_names
from lesson_runner.plugins.action import Action


@dataclass(frozen=True, slots=True)
class Param:
    """One ``--param``: for one step, or for every step whose action has a parameter of that name."""

    step: str | None
    name: str
    text: str

    def __str__(self) -> str:
        return f"--param {self.step + '.' if self.step else ''}{self.name}={self.text}"


def parse_param(argument: str) -> Param:
    """
    Parse ``NAME=VALUE`` or ``STEP.NAME=VALUE``.

    Raises:
        LessonError: the argument has neither form.
    """
    name, equals, value = argument.partition("=")
    step, _, short = name.rpartition(".")
    if not equals or not short:
        raise LessonError(f"--param {argument}: expected NAME=VALUE or STEP.NAME=VALUE")
    return Param(step or None, short, value)


def parse_choice(argument: str) -> tuple[str, str]:
    """
    Parse ``GROUP=OPTION``.

    Raises:
        LessonError: the argument has another form.
    """
    group, equals, option = argument.partition("=")
    if not equals or not group or not option:
        raise LessonError(f"--choose {argument}: expected GROUP=OPTION")
    return group, option


def params_for_record(params: Iterable[Param]) -> dict[str, str]:
    """Return the values of ``--param`` in the form of a record's ``params``."""
    return {f"{item.step + '.' if item.step else ''}{item.name}": item.text for item in params}


def params_of(record: Json) -> list[Param]:
    """Return the values of ``--param`` from a record's ``params``."""
    given = [(str(name).rpartition("."), str(text)) for name, text in record["params"].items()]
    return [Param(step or None, short, text) for (step, _, short), text in given]


def layers_for(
    action: Action, call: ActionCall, step: Step, lesson: Lesson, profile: str, params: Iterable[Param]
) -> tuple[Layer, ...]:
    """
    Return the layers of a call's parameters, weakest first.

    action defaults < preset (such as a recipe) < lesson < block < step < profile < ``--param``
    """
    profiles = lesson.runner.get("profiles")
    if profiles:
        shared = profiles.get(profile, {}).get("with", {}).get(action.name, {})
    else:
        shared = action.profiles.get(profile, {})
    override = step.profiles.get(profile)
    own = {**shared, **(override.params if override else {})}
    layers = [
        Layer("defaults", action.defaults),
        Layer("lesson", lesson.runner.get("with", {}).get(action.name, {})),
        Layer("block", call.params),
        Layer("step", step.params),
        Layer(f"profile {profile}", own),
        Layer("--param", _command_line_values(action, step.id, params)),
    ]
    return _with_presets(action, layers)


def _with_presets(action: Action, layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return the layers without empty ones, with the presets they choose inserted after the defaults."""
    presets = [
        Layer(f"{name}={value}", action.presets[name][value])
        for name in action.presets
        if (value := str(resolve(layers).get(name))) in action.presets[name]
    ]
    return tuple(layer for layer in (layers[0], *presets, *layers[1:]) if layer.params)


def profile_changes(steps: Iterable[PlannedStep], actions: Mapping[str, Action], profile: str) -> list[str]:
    """Return what a profile changes, one line per action: ``ct4.train: n_layer 6 -> 3, …``."""
    name = f"profile {profile}"
    changes: dict[str, dict[str, tuple[list[str], list[str]]]] = {}
    for step in steps:
        sources = ("defaults", "lesson", "block", "step")
        kept = {layer.name: layer for layer in step.layers}
        set_by_profile = kept[name].params if name in kept else {}
        layers = [kept.get(source, Layer(source, {})) for source in sources]
        before = resolve(_with_presets(actions[step.action], layers))
        for key in set_by_profile:
            old, new = before.get(key), step.params.get(key)
            if old != new:
                seen = changes.setdefault(step.action, {}).setdefault(key, ([], []))
                for values, value in zip(seen, (old, new), strict=True):
                    shown = "unset" if value is None else str(value)
                    values += [] if shown in values else [shown]
    return [
        f"{action}: {', '.join(f'{key} {_or(old)} -> {_or(new)}' for key, (old, new) in keys.items())}"
        for action, keys in changes.items()
    ]


def _or(values: Sequence[str]) -> str:
    return "/".join(values)


def resolve(layers: Iterable[Layer]) -> dict[str, Any]:
    """Merge layers into parameters; later layers win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer.params)
    return merged


def _command_line_values(action: Action, step: str, params: Iterable[Param]) -> dict[str, Any]:
    known = action.schema.get("properties", {})
    # `compare.2` is the second command of the step `compare`.
    mine = [param for param in params if param.step in (None, step)]
    return {param.name: _value(param.text, known[param.name]) for param in mine if param.name in known}


def _value(text: str, schema: Json) -> Any:
    """Convert a parameter's text to the type in its schema; text that does not fit stays text."""
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds == ["string"]:
        return text
    try:
        value = json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        return text
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if is_number and not {"integer", "number"} & set(kinds) else value


def _not_a_number(text: str) -> float:
    """Refuse NaN and Infinity, which Python accepts although JSON does not have them."""
    raise ValueError(text)


def check_params(
    params: Iterable[Param], actions: Mapping[str, Action], steps: Mapping[str, Collection[str]]
) -> None:
    """
    Check that every ``--param`` matches a parameter of a step.

    Args:
        params: the values of ``--param``.
        actions: all actions by name.
        steps: the names of each declared step's actions, by the step's id.

    Raises:
        LessonError: the step does not exist, or no step has such a parameter.
    """
    for param in params:
        if param.step is not None and param.step not in steps:
            raise LessonError(
                f"{param}: there is no step '{param.step}'", fix=suggest_names(param.step, steps)
            )
        used = steps[param.step] if param.step else {name for names in steps.values() for name in names}
        known = {
            key for name in used if name in actions for key in actions[name].schema.get("properties", {})
        }
        if param.name not in known:
            raise LessonError(
                f"{param}: no step of this lesson has a parameter '{param.name}'",
                fix=suggest_names(param.name, known),
            )
