"""Ask the user once for the permissions of a lesson from elsewhere, and remember the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.inputs import READ, Inputs, why_protected
from lesson_runner.model import Lesson, Plan, PlannedStep
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.options import RunOptions
from lesson_runner.run.permissions import (
    NETWORK,
    PERMISSIONS,
    PermissionStore,
    describe_permission,
    is_granted,
    kind_of,
    permissions_needed,
)
from lesson_runner.run.selection import SYSTEM


@dataclass(frozen=True, slots=True)
class Consent:
    """What one lesson may do, and what it asks for."""

    lesson: Lesson
    granted: frozenset[str]
    """The permissions that it has."""
    missing: tuple[str, ...] = ()
    """Those that its steps need besides."""
    request: str = ""
    """What it asks for, in words; empty if nothing is missing."""
    commands: tuple[tuple[str, str], ...] = ()
    """The id of each step that needs a missing permission, and its command."""


def check_permissions(
    plan: Plan,
    steps: Iterable[PlannedStep],
    plugins: Plugins,
    options: RunOptions,
    inputs: Inputs,
    *,
    installed: bool,
) -> frozenset[str]:
    """
    Check the permissions that a lesson from elsewhere needs, ask for missing ones, and return all it has.

    The arguments are those of :func:`consent_of`.

    Raises:
        LessonError: a permission was not granted, or can never be granted.
    """
    consent = consent_of(plan, steps, plugins, options, inputs, installed=installed)
    if consent.missing:
        ask_once([consent], options)
    return consent.granted.union(consent.missing)


def consent_of(
    plan: Plan,
    steps: Iterable[PlannedStep],
    plugins: Plugins,
    options: RunOptions,
    inputs: Inputs,
    *,
    installed: bool,
) -> Consent:
    """
    Return the permissions that a lesson from elsewhere has, and those that it needs besides.

    A permission comes from ``--allow``, from an earlier yes to exactly this content, or from a yes now. A yes
    is remembered for the whole lesson, so the question names every step that needs the permission.

    Args:
        steps: the steps that will run.
        inputs: says which files the steps may read without a permission.
        installed: the lesson came with a plugin, and is trusted like the plugin; in a sandbox it still needs
            permission to use the network. Files that only the record of a resumed run names need permission.

    Raises:
        LessonError: a permission can never be granted.
    """
    allowed = options.allowed
    trusted = {*PERMISSIONS} - {SYSTEM} - ({NETWORK} if inputs.sandbox else set())
    lesson, actions = plan.lesson, plugins.actions()
    if installed and inputs.fresh_params:
        return Consent(lesson, allowed | trusted)
    if installed:
        own = dataclasses.replace(inputs, fresh_params=True)
        asked = {name for step in plan.steps for name in permissions_needed(step, actions[step.action], own)}
        allowed |= {name for name in asked if kind_of(name) in trusted}
    wanted = {step.id: permissions_needed(step, actions[step.action], inputs) for step in plan.steps}
    needed = {name for step in steps for name in wanted[step.id]}
    _refuse_protected_files(needed, wanted, lesson.path)
    memory = PermissionStore.read()
    granted = allowed | memory.granted(lesson)
    kinds = list(PERMISSIONS)
    missing = sorted(
        (name for name in needed if not is_granted(name, granted)),
        key=lambda name: (kinds.index(kind_of(name)) if kind_of(name) in kinds else len(kinds), name),
    )
    if not missing:
        return Consent(lesson, granted)
    changed = next((time for name in missing if (time := memory.allowed_earlier(lesson, name))), "")
    since = f" has changed since you allowed it on {changed[:10]}, and" if changed else ""
    what = " and ".join(_phrase(name, wanted) for name in missing)
    shown = tuple(
        (step.id, step.command or step.source) for step in plan.steps if wanted[step.id].intersection(missing)
    )
    return Consent(lesson, granted, tuple(missing), f"{lesson.path}{since} wants to {what}", shown)


def ask_once(consents: Sequence[Consent], options: RunOptions) -> None:
    """
    Ask one question for what lessons lack, and remember a yes for each of them.

    Raises:
        LessonError: the answer is no, or nobody can answer.
    """
    memory, note = PermissionStore.read(), options.note
    if memory.problem:
        note(f"note: {memory.path}: {memory.problem}; earlier permissions are ignored")
    question = f"{consents[0].request}. Allow this until its text changes?"
    refusal, read = consents[0].request, "read these steps, then run the lesson again"
    if len(consents) > 1:
        kinds = dict.fromkeys(kind_of(name) for item in consents for name in item.missing)
        refusal = f"{len(consents)} lessons need permissions: {', '.join(kinds)}"
        read = "read them, or see 'lesson plan' for each; then run the folder again"
        question = f"{refusal}. Allow all of this until their texts change?"
        for item in consents:
            note(item.request)
    if options.ask is not None:
        for item in consents:
            for name, command in item.commands:
                note(f"step '{name}' of {item.lesson.path}:")
                for row in command.rstrip("\n").split("\n"):
                    note(f"   │ {row}")
    if options.ask is None or not options.ask(question):
        allow = ",".join(dict.fromkeys(kind_of(name) for item in consents for name in item.missing))
        raise LessonError(refusal, fix=f"{read} with --allow {allow}")
    try:
        for item in consents:
            memory.remember(item.lesson, frozenset(item.missing))
    except LessonError as error:
        note(f"note: the answer cannot be saved: {error}")


def _phrase(permission: str, wanted: dict[str, frozenset[str]]) -> str:
    """Describe a permission and name the steps of the plan that need it."""
    what = describe_permission(permission)
    if kind_of(permission) == NETWORK:  # asked without a sandbox too: a yes is remembered for both
        what += " and, in a sandbox, use the network in its commands"
    return f"{what} ({_steps(permission, wanted)})"


def _steps(permission: str, wanted: dict[str, frozenset[str]]) -> str:
    ids = [f"'{step}'" for step, asked in wanted.items() if permission in asked]
    return f"step{'s' if len(ids) > 1 else ''} {', '.join(ids)}"


def _refuse_protected_files(needed: set[str], wanted: dict[str, frozenset[str]], lesson: Path) -> None:
    for permission in sorted(needed):
        kind, _, path = permission.partition(" ")
        if kind == READ and (reason := why_protected(Path(path))):
            steps = _steps(permission, wanted)
            raise LessonError(
                f"{lesson} wants to read {path} ({steps}), which is never read: {reason}",
                fix="do not run this lesson; if it is yours, use another file",
            )
