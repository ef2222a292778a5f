"""Check the parameters of a planned step; each problem names the layer it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lesson_runner.document.schema.validator import KeyPath, check, once_per_schema, place_of
from lesson_runner.model import Claim, Diagnostic, Expectation, Json, Lesson, Location, PlannedStep, Step
from lesson_runner.model.hints import suggest_names
from lesson_runner.plugins.action import Action

MOST_GOOD = 1_000
"""How many valid parameter values are cached for each action."""
SHORT = 100
"""Texts up to this length are cached; a whole script is unlikely to come twice."""


def check_step(
    planned: PlannedStep,
    step: Step,
    action: Action,
    lesson: Lesson,
    metrics: Sequence[str] | None,
    *,
    understood: bool = True,
) -> Iterable[Diagnostic]:
    """
    Yield the problems of a planned step: wrong parameters, nothing to judge by, or a metric it never has.

    Args:
        metrics: the names, or patterns with ``*``, of the metrics that the step can have apart from
            ``capture``; ``None`` if they are unknown.
        understood: whether its command could be parsed. If not, a conflict between parameters may only be a
            consequence of that, and is not reported.
    """
    what = f"step '{planned.id}'"
    wrong = list(_parameters(planned, step, action, lesson, what))
    yield from wrong
    if action.inspect and understood and not wrong and (problem := action.inspect(planned.params).problem):
        yield Diagnostic("wrong-value", "error", f"{what}: {problem}", planned.location)
    if not planned.expect and not action.self_judging:
        message = f"{what} needs an 'expect': nothing else judges the result of '{action.name}'"
        fix = "add 'expect:' with what the reader should see, such as a metric or a line of output"
        yield Diagnostic("nothing-judged", "error", message, step.location, fix)
    if metrics is not None and not step.recognised:  # the action declares those of a recognised step
        yield from _metrics(planned, step, metrics, what)


def _metrics(planned: PlannedStep, step: Step, metrics: Sequence[str], what: str) -> Iterable[Diagnostic]:
    """Yield the expectations and claims about metrics that nothing captures or measures."""
    overrides = (("profiles", name) for name, item in step.profiles.items() if item.expect == planned.expect)
    base = next(overrides, ()) if planned.expect != step.expect else ()
    named: list[tuple[KeyPath, Expectation | Claim]] = [
        ((*base, "expect", n), item) for n, item in enumerate(planned.expect) if item.matcher == "metric"
    ]
    known = [*planned.capture, *metrics]
    named += [(("claims", n), claim) for n, claim in enumerate(planned.claims)]
    for path, item in named:
        name = item.argument["name"]
        if name in planned.capture or any(fnmatchcase(name, pattern) for pattern in metrics):
            continue
        message = f"{what}: nothing captures or measures the metric '{name}'"
        place = place_of(step.positions, (*path, "metric", "name"))
        fix = suggest_names(name, known) if known else "add a 'capture' pattern that finds it in the output"
        yield Diagnostic("unmeasured-metric", "error", message, place, fix)


def _parameters(
    planned: PlannedStep, step: Step, action: Action, lesson: Lesson, what: str
) -> Iterable[Diagnostic]:
    whole, each, good = _parts(action.schema)
    yield from check(planned.params, whole, _places("step", planned, step, lesson), what=what)
    for name, value in planned.params.items():
        known = (name, repr(value)) if _is_short(value) else None
        if name not in each or known in good:
            continue
        source = next(layer.name for layer in reversed(planned.layers) if name in layer.params)
        where = f"{what}: {name} (from {source})"
        if next(check(value, each[name], {}, what=where, base=(name,)), None) is None:
            if known and len(good) < MOST_GOOD:
                good.add(known)
            continue
        # The places are needed only here; a frontmatter may have very many.
        yield from check(value, each[name], _places(source, planned, step, lesson), what=where, base=(name,))


def _places(layer: str, planned: PlannedStep, step: Step, lesson: Lesson) -> dict[KeyPath, Location]:
    """Return where the parameters of a layer are written; the empty path is the place of the step's block."""
    _, _, profile = layer.partition("profile ")
    parts: list[tuple[Mapping[KeyPath, Location], KeyPath]] = []
    if layer == "step":
        parts = [(step.positions, ("with",))]
    elif layer == "lesson":
        parts = [(lesson.positions, ("runner", "with", planned.action))]
    elif profile:
        shared = ("runner", "profiles", profile, "with", planned.action)
        parts = [(lesson.positions, shared), (step.positions, ("profiles", profile, "with"))]
    found: dict[KeyPath, Location] = {(): planned.location}
    for positions, path in parts:
        size = len(path)
        found.update(
            (key[size:], place) for key, place in positions.items() if key[:size] == path and len(key) > size
        )
    return found


def _is_short(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= SHORT)


@once_per_schema
def _parts(schema: Json) -> tuple[Json, dict[str, Json], set[tuple[str, str]]]:
    """
    Split an action's schema, so that each wrong value is reported at its own place.

    Returns:
        the schema without those of its properties, a schema for each property, and a cache of the values that
        were found valid: steps and profiles share most of them.
    """
    properties: dict[str, Any] = schema.get("properties", {})
    shared = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    whole = {**schema, "properties": {name: {} for name in properties}}
    return whole, {name: {**part, **shared} for name, part in properties.items()}, set()
