"""From a lesson to a plan: every step with its action, parameters, needs and expectations resolved."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lesson_runner.errors import InvalidLessonError, LessonError
from lesson_runner.markdown.document import RUNNABLE
from lesson_runner.model import (
    Action,
    ActionCall,
    Diagnostic,
    Hardware,
    Lesson,
    Location,
    NotRun,
    Plan,
    PlannedStep,
    Step,
    first_error,
)
from lesson_runner.plugins import Plugins
from lesson_runner.run.names import profiles_of, unknown_names
from lesson_runner.run.order import in_order_of_needs, with_derived_needs
from lesson_runner.run.params import Param, check_params, layers_for, nearest, resolve
from lesson_runner.schema.steps import seconds
from lesson_runner.schema.validator import check
from lesson_runner.schema.validator import nearest as nearest_place

PYTHON = frozenset({"python", "py"})


def choose_profile(
    lesson: Lesson,
    actions: Mapping[str, Action],
    asked: str | None,
    hardware: Iterable[Hardware],
    backend: str,
) -> str:
    """
    Return the profile of a run: the one asked for, or the lesson's default for this machine.

    Raises:
        LessonError: the lesson has no such profile.
    """
    known = profiles_of(lesson, actions)
    if asked is None:
        board = backend != "emulated" and any(item.devices > 0 for item in hardware)
        defaults = lesson.runner.get("defaultProfile", {})
        asked = str(defaults.get("board" if board else "none", known[0]))
    if asked not in known:
        raise LessonError(f"--profile {asked}: the lesson has no such profile", fix=nearest(asked, known))
    return asked


def make_plan(
    lesson: Lesson,
    problems: Iterable[Diagnostic],
    plugins: Plugins,
    profile: str,
    params: Sequence[Param] = (),
) -> Plan:
    """
    Return what a run of ``lesson`` would do.

    Raises:
        InvalidLessonError: the lesson, or what its blocks say, has errors.
        LessonError: a ``--param`` means nothing here.
    """
    actions = plugins.actions()
    found = list(problems)
    if first_error(found):  # what is not valid cannot be planned
        raise InvalidLessonError(found)
    found += unknown_names(lesson, actions)
    planned: list[PlannedStep] = []
    used: dict[str, str] = {}
    if not lesson.steps:
        found.append(_no_steps(lesson))
    for step in lesson.steps:
        calls, trouble = _calls(step, lesson, plugins)
        found += trouble
        for number, call in enumerate(calls, 1):
            suffix = f".{number}" if len(calls) > 1 else ""
            action = actions.get(call.action)
            if action is None:
                found.append(_unknown_action(step, call.action, actions))
                continue
            used[step.id] = action.name
            one, trouble = _plan_step(step, suffix, call, action, lesson, profile, params)
            found += trouble
            planned.append(one)
    # With wrong parameters, an action cannot say what it reads and writes.
    usable = {} if first_error(found) else actions
    planned, trouble = with_derived_needs(planned, usable, {step.id: step for step in lesson.steps})
    found += trouble
    if first_error(found):
        raise InvalidLessonError(found)
    check_params(params, actions, used)
    ordered, trouble = in_order_of_needs(planned)
    if trouble:
        raise InvalidLessonError([*found, *trouble])
    return Plan(lesson, profile, tuple(ordered), _not_run(lesson), tuple(found), _digest(ordered))


def _not_run(lesson: Lesson) -> tuple[NotRun, ...]:
    """Return the blocks a reader would type in that no step stands for, with the author's reasons."""
    covered = {step.block for step in lesson.steps}
    reasons = {item.block: item.reason for item in lesson.skipped}
    blocks = [block for block in lesson.blocks if block in reasons or block.language in RUNNABLE]
    return tuple(NotRun(block, reasons.get(block, "")) for block in blocks if block not in covered)


def _no_steps(lesson: Lesson) -> Diagnostic:
    return Diagnostic(
        "no-steps",
        "error",
        "the lesson has no steps, so there is nothing to run",
        Location(lesson.path, 1),
        "put a '<!-- step' comment above each code block that should run",
    )


def _unknown_action(step: Step, name: str, actions: Mapping[str, Action]) -> Diagnostic:
    message = f"step '{step.id}': no plugin has an action '{name}'"
    return Diagnostic(
        "unknown-action", "error", message, nearest_place(step.positions, ("uses",)), nearest(name, actions)
    )


def _calls(step: Step, lesson: Lesson, plugins: Plugins) -> tuple[Sequence[ActionCall], Sequence[Diagnostic]]:
    """Return what a step's block stands for: ``uses:``, else a plugin's claim, else shell or Python."""
    if step.kind == "manual":
        return [ActionCall("manual", {}, step.location)], []
    block = step.block
    if step.uses is not None:
        source = block.text.rstrip("\n") if block else ""
        action = plugins.actions().get(step.uses)
        takes_script = action is not None and "script" in action.schema.get("properties", {})
        params = {"script": block.text} if block and takes_script else {}
        return [ActionCall(step.uses, params, step.location, source)], []
    if block is None:  # the parser binds every other directive to a block
        return [], []
    calls = plugins.interpret_block(block, lesson)
    if calls:
        return calls, [problem for call in calls for problem in call.diagnostics]
    if block.language in RUNNABLE:
        name = "python" if block.language in PYTHON else "shell"
        return [ActionCall(name, {"script": block.text}, block.location, block.text.rstrip("\n"))], []
    message = f"step '{step.id}': nothing runs a block of language '{block.language or 'none'}'"
    fix = f"write one of {', '.join(sorted(RUNNABLE))} after the fence, or name an action with 'uses:'"
    return [], [Diagnostic("unknown-language", "error", message, step.location, fix)]


def _plan_step(
    step: Step,
    suffix: str,
    call: ActionCall,
    action: Action,
    lesson: Lesson,
    profile: str,
    params: Sequence[Param],
) -> tuple[PlannedStep, list[Diagnostic]]:
    layers = layers_for(action, call, step, lesson, profile, params)
    values = resolve(layers)
    override = step.profiles.get(profile)
    expect = override.expect if override and override.expect is not None else step.expect
    timeout = override.timeout if override and override.timeout else step.timeout
    planned = PlannedStep(
        id=step.id + suffix,
        title=step.title,
        location=call.location,
        action=action.name,
        params=values,
        layers=layers,
        needs=step.needs,
        expect=expect,
        claims=step.claims,
        timeout=timeout or seconds(lesson.runner.get("timeout")),
        retries=step.retries,
        requires=step.requires,
        capture=step.capture,
        optional=step.optional,
        skip=override.skip if override else None,
        why=step.why,
        look_for=step.look_for,
        command=_command(action, call, values),
        source=call.source,
        absorbed=call.absorbed,
    )
    return planned, [] if planned.skip else _check(planned, step, action)


def _command(action: Action, call: ActionCall, values: Mapping[str, Any]) -> str:
    try:
        return action.command(values) if action.command else call.source
    except Exception:  # wrong values are reported by the schema, with their place
        return call.source


def _check(planned: PlannedStep, step: Step, action: Action) -> list[Diagnostic]:
    """Return what is wrong with a step's parameters, each with the layer it came from."""
    what = f"step '{planned.id}'"
    places: dict[tuple[str | int, ...], Location] = {
        key[1:]: place for key, place in step.positions.items() if key[:1] == ("with",)
    }
    places[()] = planned.location
    block: dict[tuple[str | int, ...], Location] = {(): planned.location}
    known = action.schema.get("properties", {})
    shared = {"$defs": action.schema["$defs"]} if "$defs" in action.schema else {}
    found = list(
        check(planned.params, {**action.schema, "properties": {key: {} for key in known}}, places, what=what)
    )
    for name, value in planned.params.items():
        source = next(layer.name for layer in reversed(planned.layers) if name in layer.params)
        here = places if source == "step" else block
        schema = {**known.get(name, {}), **shared}
        found += check(value, schema, here, what=f"{what}: {name} (from {source})", base=(name,))
    problem = action.check(planned.params) if action.check and not found else None
    if problem:
        found.append(Diagnostic("wrong-value", "error", f"{what}: {problem}", planned.location))
    if not planned.expect and not action.self_judging:
        message = f"step '{planned.id}' has nothing to judge it: '{action.name}' needs an 'expect'"
        fix = "add 'expect:' with what the reader should see, such as a metric or a line of output"
        found.append(Diagnostic("nothing-judged", "error", message, step.location, fix))
    return found


def _digest(steps: Iterable[PlannedStep]) -> str:
    """Return the digest of what will happen; titles, prose and line numbers do not count."""
    left_out = {"title", "location", "why", "look_for", "layers", "command", "source", "absorbed", "claims"}
    names = [field.name for field in dataclasses.fields(PlannedStep) if field.name not in left_out]
    content = [{name: getattr(step, name) for name in names} for step in steps]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=dataclasses.asdict)
    return hashlib.sha256(text.encode()).hexdigest()
