"""Plan a lesson: resolve the action, parameters, needs and expectations of every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesson_runner.document.frontmatter import NO_FRONTMATTER
from lesson_runner.document.schema.validator import place_of
from lesson_runner.document.steps import SERVICE, seconds
from lesson_runner.document.transcripts import as_script, shown_output
from lesson_runner.model import (
    ActionCall,
    Block,
    BlockRole,
    Diagnostic,
    Expectation,
    Hardware,
    Lesson,
    Location,
    NotRun,
    Plan,
    PlannedStep,
    Step,
    first_error,
)
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.model.hints import suggest_names
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles import COMMAND_LINK
from lesson_runner.run.block_roles import check_options, declared_roles, shown_below, with_choices
from lesson_runner.run.check_step import check_step
from lesson_runner.run.digests import plan_digest
from lesson_runner.run.names import unknown_names, usual_profile
from lesson_runner.run.order import sort_by_needs, with_derived_needs
from lesson_runner.run.params import Param, check_params, layers_for, resolve
from lesson_runner.run.recognise import Choices, Recognition, is_typed_in
from lesson_runner.run.recognised_steps import fill_in
from lesson_runner.run.resolve_blocks import (
    known_profiles,
    needs_in,
    recognise_steps,
    resolve_block,
    roles_in,
)

GENERAL = ("shell", "python")
"""Actions that run a block as it is, so that what it prints can be compared with what the lesson shows."""


def choose_profile(
    lesson: Lesson, plugins: Plugins, requested: str | None, hardware: Iterable[Hardware], backend: str
) -> str:
    """
    Return the profile of a run: the requested one, or the lesson's default for this machine.

    A simulator does not count as a board: it may need minutes for what takes a chip microseconds.

    Raises:
        LessonError: the lesson has no such profile.
    """
    known = known_profiles(lesson, plugins)
    if requested is None:
        board = backend != "emulated" and any(item.is_board for item in hardware)
        defaults = lesson.runner.get("defaultProfile", {})
        requested = str(defaults.get("board" if board else "none", usual_profile(lesson, known, board=board)))
    if requested not in known:
        fix = plugins.hint(suggest_names(requested, known), "lesson_actions")
        raise LessonError(f"--profile {requested}: the lesson has no such profile", fix=fix)
    return requested


def recognised(
    lesson: Lesson, plugins: Plugins, params: Sequence[Param], options: Mapping[str, str]
) -> Recognition | None:
    """Return what is recognised in a lesson without steps; ``None`` if it has some, or skips blocks."""
    if lesson.steps or lesson.skipped:
        return None
    return recognise_steps(lesson, plugins, Choices(options, _values(params)))


def _values(params: Iterable[Param]) -> dict[str, str]:
    """Return the values that can fill in blanks, by name."""
    return {param.name: param.text for param in params if param.step is None}


def make_plan(
    lesson: Lesson,
    problems: Iterable[Diagnostic],
    plugins: Plugins,
    profile: str,
    params: Sequence[Param] = (),
    options: Mapping[str, str] | None = None,
    recognition: Recognition | None = None,
) -> Plan:
    """
    Return what a run of ``lesson`` would do.

    Args:
        options: the chosen option of each group of alternatives; ``None``: the recommended ones.
        recognition: what :func:`recognised` returned for this lesson, these parameters and options; ``None``:
            it is called now.

    Raises:
        InvalidLessonError: the lesson or one of its blocks has errors.
        LessonError: a ``--param`` does not match any step, or there is no such alternative.
    """
    actions = plugins.actions()
    found = [item for item in problems if item.rule != NO_FRONTMATTER]  # a plain tutorial needs none
    if first_error(found):  # an invalid lesson cannot be planned
        raise InvalidLessonError(found)
    found += unknown_names(lesson, plugins)
    recognition = recognition or recognised(lesson, plugins, params, options or {})
    if recognition is not None:
        lesson, blanks = recognition.lesson, recognition.blanks
        found += recognition.problems
    else:
        steps, blanks = fill_in(lesson.steps, _values(params))
        lesson = with_choices(dataclasses.replace(lesson, steps=steps), options or {})
    blocks = recognition.blocks if recognition else declared_roles(lesson, roles_in(lesson, plugins))
    check_options(options or {}, blocks)
    blocks = needs_in(lesson, blocks, plugins)
    if not lesson.steps:
        found.append(_no_steps(lesson))
    planned, used, trouble = _plan_steps(lesson, blocks, plugins, profile, params)
    found += trouble
    # With wrong parameters, an action cannot say what it reads and writes.
    usable = {} if first_error(found) else actions
    planned, trouble = with_derived_needs(planned, usable, {step.id: step for step in lesson.steps})
    planned = _links_in_order(planned, lesson)
    found += trouble
    if first_error(found):
        raise InvalidLessonError(found)
    filled = {blank.name for blank in blanks}
    check_params([param for param in params if param.name not in filled], actions, used)
    ordered, trouble = sort_by_needs(planned)
    if trouble:
        raise InvalidLessonError([*found, *trouble])
    not_run = _not_run(lesson) if recognition is None else recognition.not_covered
    not_run = tuple(sorted((*not_run, *lesson.unseen), key=lambda item: item.block.location))
    return Plan(lesson, profile, tuple(ordered), not_run, tuple(found), plan_digest(ordered), blocks)


def _plan_steps(
    lesson: Lesson, blocks: Sequence[BlockRole], plugins: Plugins, profile: str, params: Sequence[Param]
) -> tuple[list[PlannedStep], dict[str, set[str]], list[Diagnostic]]:
    """Return the steps in document order, the names of each declared step's actions, and the problems."""
    actions = plugins.actions()
    requires = {item.step: (*item.needs, *item.earlier) for item in blocks if item.step is not None}
    outputs = shown_below(blocks)
    planned: list[PlannedStep] = []
    used: dict[str, set[str]] = {}
    found: list[Diagnostic] = []
    for step in lesson.steps:
        interpretation, trouble = resolve_block(step, lesson, plugins)
        found += trouble
        several = len(interpretation.calls) > 1
        for number, call in enumerate(interpretation.calls, 1):
            action = actions.get(call.action)
            if action is None:
                found.append(_unknown_action(step, call.action, plugins))
                continue
            used.setdefault(step.id, set()).add(action.name)
            part = _Part(call, f".{number}", _title(step, call)) if several else _Part(call, "", step.title)
            one, trouble = _plan_step(step, part, action, plugins.metrics_of(action), lesson, profile, params)
            given = any(layer.name == "--param" for layer in one.layers)
            if step.recognised and not given and (error := first_error(trouble)):  # the others can still run
                one = dataclasses.replace(one, skip=f"it cannot run as it stands: {error.message}")
                trouble = [dataclasses.replace(item, severity="warning", edits=()) for item in trouble]
            found += trouble
            shown = _shown_below(step, outputs) if not several else ()
            if step.recognised and action.name in (*GENERAL, SERVICE):  # it runs the block as it is
                one = dataclasses.replace(one, requires=one.requires + requires.get(step.id, ()))
            planned.append(
                dataclasses.replace(one, claimed_by=interpretation.plugin, shown=shown + one.shown)
            )
    return planned, used, found


def _links_in_order(planned: Iterable[PlannedStep], lesson: Lesson) -> list[PlannedStep]:
    """Return the steps; what a command link does is one thing, so each of its steps needs the one before."""
    links = {step.id for step in lesson.steps if step.block and step.block.language == COMMAND_LINK}
    ordered: list[PlannedStep] = []
    for step in planned:
        name, _, number = step.id.rpartition(".")
        if name in links and number != "1":
            step = dataclasses.replace(step, needs=(*step.needs, ordered[-1].id))
        ordered.append(step)
    return ordered


def _not_run(lesson: Lesson) -> tuple[NotRun, ...]:
    """Return the blocks that a reader would type in and no step covers, with the author's reasons."""
    covered = {step.block for step in lesson.steps}
    reasons = {item.block: item.reason for item in lesson.skipped}
    blocks = [block for block in lesson.blocks if block in reasons or is_typed_in(block)]
    return tuple(NotRun(block, reasons.get(block, "")) for block in blocks if block not in covered)


def _no_steps(lesson: Lesson) -> Diagnostic:
    return Diagnostic(
        "no-steps",
        "info",
        "no block of the lesson is a step, so there is nothing to run",
        Location(lesson.path, 1),
        "put a '<!-- step' comment above each code block that should run",
    )


def _unknown_action(step: Step, name: str, plugins: Plugins) -> Diagnostic:
    message = f"step '{step.id}': no plugin has an action '{name}'"
    fix = plugins.hint(suggest_names(name, plugins.actions()), "lesson_actions")
    return Diagnostic("unknown-action", "error", message, place_of(step.positions, ("uses",)), fix)


def _title(step: Step, call: ActionCall) -> str:
    """Return the title of one of several commands: the comment above it, unless the step has a title."""
    comment = call.absorbed[-1] if call.absorbed else ""
    stands_alone = step.block is not None and comment in map(str.strip, step.block.text.split("\n"))
    if ("title",) in step.positions or not comment.startswith("#") or not stands_alone:
        return step.title
    return comment.lstrip("# ") or step.title


@dataclass(frozen=True, slots=True)
class _Part:
    """One command of a step; a block can have several."""

    call: ActionCall
    suffix: str
    title: str


def _plan_step(
    step: Step,
    part: _Part,
    action: Action,
    metrics: Sequence[str] | None,
    lesson: Lesson,
    profile: str,
    params: Sequence[Param],
) -> tuple[PlannedStep, list[Diagnostic]]:
    call = part.call
    layers = layers_for(action, call, step, lesson, profile, params)
    values = resolve(layers)
    override = step.profiles.get(profile)
    expect = override.expect if override and override.expect is not None else step.expect
    if step.recognised:  # no author's expectations; each command has its action's
        expect = action.expect
    shown = tuple(_shown_output(step, call))
    if not step.recognised:  # nobody promised that a recognised step prints it
        expect, shown = (*expect, *shown), ()
    timeout = override.timeout if override and override.timeout else step.timeout
    planned = PlannedStep(
        id=step.id + part.suffix,
        title=part.title,
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
        cleanup=step.cleanup,
        skip=override.skip if override and override.skip else step.skip or None,
        hint=step.hint,
        why=step.why,
        look_for=step.look_for,
        command=_command(action, call, values),
        source=call.source,
        absorbed=call.absorbed,
        shown=shown,
        role=step.role,
    )
    understood = not first_error(call.diagnostics)
    return planned, [] if planned.skip else list(
        check_step(planned, step, action, lesson, metrics, understood=understood)
    )


def _shown_below(step: Step, outputs: Mapping[Block, Sequence[Expectation]]) -> tuple[Expectation, ...]:
    """Return what the lesson shows as the output of a step whose block runs as it is."""
    return tuple(outputs.get(step.block, ())) if step.block and step.uses in GENERAL else ()


def _shown_output(step: Step, call: ActionCall) -> Iterable[Expectation]:
    """Yield the expectation that a step whose block runs as it is prints what the block shows as output."""
    block = step.block
    if block is None or not step.compares_output or call.params.get("script") != as_script(block):
        return
    shown = shown_output(block)
    if any(line.strip() not in ("", "...") for line, _ in shown):
        yield Expectation("lines", [line for line, _ in shown], places=tuple(place for _, place in shown))


def _command(action: Action, call: ActionCall, values: Mapping[str, Any]) -> str:
    try:
        return action.command(values) if action.command else call.source
    except Exception:  # the schema check reports wrong values, with their place
        return call.source
