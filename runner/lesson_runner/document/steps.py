"""Build a :class:`~lesson_runner.model.Step` from a directive's YAML."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lesson_runner.document.parser import BoundDirective
from lesson_runner.document.schema.validator import check, load_schema, place_of, schema_problem
from lesson_runner.model import (
    Choice,
    Claim,
    Diagnostic,
    Expectation,
    Ignore,
    Location,
    Need,
    NotRun,
    Override,
    Role,
    Step,
)
from lesson_runner.model.hints import suggest_names

SERVICE = "service"
ACTION_KEYS = {SERVICE: SERVICE, "file": "file", "answers": "shell"}
"""The keys of a directive that choose an action, and its name."""
_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(duration: float | str | None) -> float | None:
    """Return a duration such as ``90``, ``"30m"`` or ``"2h"`` in seconds."""
    if duration is None or isinstance(duration, int | float):
        return duration
    return float(duration[:-1]) * _UNITS[duration[-1]]


@dataclass(slots=True)
class Directives:
    """The content of a lesson's directives, and their diagnostics."""

    steps: list[Step] = field(default_factory=list)
    skipped: list[NotRun] = field(default_factory=list)
    ignores: list[Ignore] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def build(directives: Iterable[BoundDirective]) -> Directives:
    """
    Return the steps that a lesson's directives declare, and the blocks they skip.

    A directive with errors is left out; the diagnostics say why.
    """
    found = Directives()
    for directive in directives:
        problems = list(_check(directive))
        found.problems += problems
        if any(item.severity == "error" for item in problems):
            continue
        if directive.word == "expect":
            found.problems += _add_expected_output(found.steps, directive)
        elif directive.word == "skip":
            # The parser binds a skip to a block, or reports that there is none.
            found.skipped += [NotRun(directive.block, directive.data["reason"])] if directive.block else []
        elif directive.word == "ignore":
            data, (first, last) = directive.data, directive.lines
            found.ignores.append(
                Ignore(tuple(data["rules"]), data["reason"], directive.location, first, last)
            )
        else:
            found.steps.append(_step(directive))
    found.problems += _duplicates(found.steps)
    found.problems += _choice_rules(found.steps)
    return found


def _check(directive: BoundDirective) -> Iterable[Diagnostic]:
    """Yield the diagnostics about a directive's keys and values."""
    schema = _schema_of(directive.word)
    yield from check(directive.data, schema, directive.positions, what=f"'{directive.word}' directive")
    if directive.word == "manual" and "instruction" not in directive.data:
        message, fix = (
            "'manual' directive: 'instruction' is missing",
            "say what the user has to do",
        )
        yield _problem(directive, "missing-key", message, fix)
    if directive.word != "manual" and "instruction" in directive.data:
        message = f"'{directive.word}' directive: only 'manual' directives have an 'instruction'"
        yield Diagnostic("unknown-key", "error", message, place_of(directive.positions, ("instruction",)))
    yield from _action_rules(directive)
    for index, text in enumerate(_list_of_texts(directive.data.get("placeholders"))):
        if directive.block is not None and text not in directive.block.text:
            message = f"'{directive.word}' directive: the block does not contain '{text}'"
            place = place_of(directive.positions, ("placeholders", index))
            yield Diagnostic("wrong-value", "error", message, place, "write it as the block has it")
    yield from _expectation_rules(directive)
    captures = directive.data.get("capture")
    for name, given in captures.items() if isinstance(captures, Mapping) else ():
        pattern, path = (given, (name,)) if isinstance(given, str) else _pattern_of(name, given)
        if isinstance(pattern, str) and _groups(pattern) not in (1, None):  # None: the schema reported it
            where = ".".join(("capture", *path))
            message = f"'{directive.word}' directive: {where}: '{pattern}' needs exactly one group ( )"
            place = place_of(directive.positions, ("capture", *path))
            yield Diagnostic("wrong-value", "error", message, place, "put ( ) around the number to read")


def _list_of_texts(value: object) -> list[str]:
    """Return a value if it is a list of texts, else an empty list: the schema reports it."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []


def _action_rules(directive: BoundDirective) -> Iterable[Diagnostic]:
    """Yield diagnostics about keys that each say how the block runs, and say different things."""
    given = [key for key in (*ACTION_KEYS, "uses") if key in directive.data]
    keys = given[1:] if directive.word != "manual" else [key for key in given if key != "uses"]
    for key in keys:
        others = f"'{given[0]}'" if directive.word != "manual" else "a 'manual' directive, which has no block"
        message = f"'{directive.word}' directive: '{key}' cannot be combined with {others}"
        yield Diagnostic(
            "wrong-value", "error", message, place_of(directive.positions, (key,)), "keep one of them"
        )


def _pattern_of(name: str, given: object) -> tuple[object, tuple[str, ...]]:
    """Return the pattern of a capture that is a mapping, and its path below ``capture``."""
    return (given.get("regex") if isinstance(given, Mapping) else None), (name, "regex")


@cache
def _schema_of(word: str) -> dict[str, Any]:
    """Return the schema of a directive's YAML."""
    schema = load_schema("step")
    parts = schema["$defs"]
    return {"$schema": schema["$schema"], **parts[word]} if word in parts else schema


def _step(directive: BoundDirective) -> Step:
    data = directive.data
    profiles = {name: _override(item) for name, item in data.get("profiles", {}).items()}
    action = next((name for name in ACTION_KEYS if name in data), None)
    params = {**data.get("with", {}), **_own_params(data)}
    return Step(
        id=data["id"],
        kind="manual" if directive.word == "manual" else "step",
        location=directive.place or directive.location,
        block=directive.block,
        title=str(data.get("title") or (directive.headings[-1] if directive.headings else data["id"])),
        why=directive.why,
        look_for=directive.look_for,
        uses=data.get("uses") if action is None else ACTION_KEYS[action],
        params=params,
        needs=tuple(data.get("needs", ())),
        timeout=seconds(data.get("timeout")),
        retries=data.get("retries", 0),
        requires=needs_in(data.get("requires", ())),
        capture=data.get("capture", {}),
        expect=expectations(data.get("expect", ())),
        claims=tuple(_claim(item) for item in data.get("claims", ())),
        profiles=profiles,
        optional=data.get("optional", False),
        compares_output=data.get("output") != "ignore",
        cleanup=data.get("cleanup", False),
        role=_role(data),
        placeholders=tuple(data.get("placeholders", ())),
        choice=Choice(**data["choice"]) if "choice" in data else None,
        hint=data.get("hint", ""),
        positions=directive.positions,
    )


def _role(data: Mapping[str, Any]) -> Role:
    """Return the role that a directive gives its block; the strongest decides."""
    if data.get("system"):
        return "system"
    keys: Mapping[str, Role] = {"placeholders": "placeholder", "file": "file", SERVICE: "service"}
    found = next((keys[key] for key in keys if key in data), None)
    return found or ("interactive" if data.get("with", {}).get("person") else "run")


def _own_params(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that keys of a directive set besides those in ``with``."""
    named = {"file": "path", "answers": "answers", "instruction": "instruction"}
    return {**data.get("service", {}), **{named[key]: data[key] for key in named if key in data}}


def expectations(items: Iterable[Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """Return expectations written as mappings of a matcher to its argument."""
    return tuple(
        Expectation(name, argument, item.get("when", {}))
        for item in items
        for name, argument in item.items()
        if name != "when"
    )


def needs_in(items: Iterable[str | Mapping[str, Any]]) -> tuple[Need, ...]:
    """Return needs written as ``board`` or ``{command: git}``."""
    pairs = (pair for item in items for pair in ({item: ""} if isinstance(item, str) else item).items())
    return tuple(Need(kind, str(value)) for kind, value in pairs)


def _override(data: Mapping[str, Any]) -> Override:
    return Override(
        params=data.get("with", {}),
        expect=expectations(data["expect"]) if "expect" in data else None,
        timeout=seconds(data.get("timeout")),
        skip=data.get("skip"),
    )


def _claim(data: Mapping[str, Any]) -> Claim:
    conditions = {key: data[key] for key in ("hardware", "profile", "with", "facts", "better") if key in data}
    return Claim("metric", data["metric"], data["source"], conditions)


def _expectation_rules(directive: BoundDirective) -> Iterable[Diagnostic]:
    """Yield diagnostics about expectations with no matcher, several matchers, or an invalid JSON Schema."""
    places: list[tuple[tuple[str | int, ...], Any]] = [(("expect",), directive.data.get("expect"))]
    profiles = directive.data.get("profiles")
    for name, override in profiles.items() if isinstance(profiles, Mapping) else ():
        if isinstance(override, Mapping):
            places.append((("profiles", name, "expect"), override.get("expect")))
    for path, items in places:
        for index, item in enumerate(items if isinstance(items, list) else ()):
            matchers = [key for key in item if key != "when"] if isinstance(item, Mapping) else ["?"]
            if len(matchers) != 1 and item != {}:  # the schema reports an empty one
                found = ", ".join(matchers) or "none"
                message = f"'{directive.word}' directive: an expectation has exactly one matcher, not {found}"
                place = place_of(directive.positions, (*path, index))
                yield Diagnostic("wrong-value", "error", message, place, "write each as its own '- ' item")
            elif isinstance(item, Mapping) and "json" in item and (problem := schema_problem(item["json"])):
                message = f"'{directive.word}' directive: not a JSON Schema: {problem}"
                place = place_of(directive.positions, (*path, index, "json"))
                yield Diagnostic("wrong-value", "error", message, place)


def _groups(pattern: str) -> int | None:
    """Return how many groups a regular expression has; ``None`` if it is not one."""
    try:
        return re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError, ValueError):
        return None


def _add_expected_output(steps: list[Step], directive: BoundDirective) -> Iterable[Diagnostic]:
    """Add the output that an ``expect`` directive's block shows to the expectations of its step."""
    wanted = directive.data.get("step")
    index = next((n for n in reversed(range(len(steps))) if wanted in (None, steps[n].id)), None)
    if index is None or directive.block is None:
        message = f"there is no step '{wanted}' above" if wanted else "there is no step above this output"
        return [_problem(directive, "expect-without-step", message, "put it below its step")]
    matcher = directive.data.get("as", "lines")
    text = directive.block.text.rstrip("\n")
    if all(line.strip() in ("", "...") for line in text.split("\n")):
        fix = "show at least one line that the step prints"
        return [_problem(directive, "expect-nothing", "any output would match, even none", fix)]
    if matcher == "regex" and _groups(text) is None:
        message = f"not a regular expression: {text!r}"
        return [_problem(directive, "wrong-value", message, "correct the block's text")]
    argument: Any = text.split("\n") if matcher == "lines" else text
    steps[index] = _replace_expect(steps[index], Expectation(matcher, argument))
    return []


def _replace_expect(step: Step, extra: Expectation) -> Step:
    return dataclasses.replace(step, expect=(*step.expect, extra))


def _duplicates(steps: Iterable[Step]) -> Iterable[Diagnostic]:
    seen: dict[str, Location] = {}
    for step in steps:
        if step.id in seen:
            place = place_of(step.positions, ("id",))
            message = f"there is another step '{step.id}' on line {seen[step.id].line}"
            yield Diagnostic("duplicate-step", "error", message, place, "give one of them another id")
        seen.setdefault(step.id, step.location)


def _choice_rules(steps: Sequence[Step]) -> Iterable[Diagnostic]:
    """Yield diagnostics about choices with one option, and about needs across the options of a choice."""
    options: dict[str, set[str]] = {}
    choices = {step.id: step.choice for step in steps if step.choice is not None}
    for choice in choices.values():
        options.setdefault(choice.group, set()).add(choice.option)
    for step in steps:
        if step.choice is None:
            continue
        group, option = step.choice.group, step.choice.option
        if len(options[group]) == 1:
            place = place_of(step.positions, ("choice", "group"))
            message = f"step '{step.id}': the choice '{group}' has only the option '{option}'"
            others = [name for name in options if name != group]
            fix = (
                suggest_names(group, others)
                if others
                else "give another step of this choice another option, or remove it"
            )
            yield Diagnostic("single-option", "error", message, place, fix)
        for index, need in enumerate(step.needs):
            other = choices.get(need)
            if other is not None and other.group == group and other.option != option:
                place = place_of(step.positions, ("needs", index))
                message = f"step '{step.id}' of option '{option}' needs '{need}' of option '{other.option}'"
                fix = "remove the need: only one of the options runs"
                yield Diagnostic("needs-other-option", "error", message, place, fix)


def _problem(directive: BoundDirective, rule: str, message: str, fix: str) -> Diagnostic:
    return Diagnostic(rule, "error", message, directive.location, fix)
