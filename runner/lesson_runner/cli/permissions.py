"""``--allow``: what a lesson from elsewhere may do, asked once for what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.cli.common import ask
from lesson_runner.cli.output import say
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.execute.inputs import Inputs
    from lesson_runner.model import Plan, PlannedStep
    from lesson_runner.plugins import Plugins


def allowed_permissions(allow: list[str] | None) -> frozenset[str]:
    """
    Return what ``--allow`` says: names of permissions, or ``read PATH`` or ``network ADDRESS`` for one alone.

    Raises:
        LessonError: there is no such permission, or a path cannot be one.
    """
    from lesson_runner.execute.inputs import READ, Inputs
    from lesson_runner.run.permissions import NETWORK, PERMISSIONS

    allowed: set[str] = set()
    names: set[str] = set()
    for item in allow or ():
        kind, _, what = item.partition(" ")
        what = what.strip()
        if what and kind in (READ, NETWORK):
            allowed.add(f"{kind} {Inputs(Path()).place(what, param=True) if kind == READ else what}")
        else:
            names |= {name.strip() for name in item.split(",")}
    for name in sorted(names.difference(PERMISSIONS)):
        alone = name.partition(" ")[0] in (READ, NETWORK)
        raise LessonError(
            f"--allow {name}: there is no such permission",
            fix="give --allow once for each" if alone else f"one of: {', '.join(PERMISSIONS)}",
        )
    return frozenset(allowed | names)


def check_permissions(
    plan: Plan,
    steps: Iterable[PlannedStep],
    plugins: Plugins,
    allowed: frozenset[str],
    inputs: Inputs,
    *,
    installed: bool,
    interactive: bool,
) -> frozenset[str]:
    """
    Make sure that a lesson from elsewhere does only what it may, and return what that is.

    It may do what ``--allow`` says, what was answered with yes before for just this content, and what is
    answered with yes now; that is remembered, so the question names every step of the plan that wants it.

    Args:
        steps: those that will be run.
        installed: the lesson came with a plugin, and is trusted as that is; in a sandbox it has no network of
            its own all the same. What the record of a run adds to it is asked for when that is resumed.

    Raises:
        LessonError: leave was not given, or cannot be given.
    """
    from lesson_runner.run.permissions import NETWORK, PERMISSIONS, Memory, asked_by, is_granted, kind_of

    trusted = {*PERMISSIONS} - ({NETWORK} if inputs.sandbox else set())
    if installed and inputs.given:
        return allowed | trusted
    lesson, actions = plan.lesson, plugins.actions()
    if installed:
        own = dataclasses.replace(inputs, given=True)
        asked = {name for step in plan.steps for name in asked_by(step, actions[step.action], own)}
        allowed |= {name for name in asked if kind_of(name) in trusted}
    wanted = {step.id: asked_by(step, actions[step.action], inputs) for step in plan.steps}
    needed = {name for step in steps for name in wanted[step.id]}
    _refuse_what_is_never_read(needed, wanted, lesson.path)
    memory = Memory.read()
    granted = allowed | memory.granted(lesson)
    kinds = list(PERMISSIONS)
    missing = sorted(
        (name for name in needed if not is_granted(name, granted)),
        key=lambda name: (kinds.index(kind_of(name)) if kind_of(name) in kinds else len(kinds), name),
    )
    if not missing:
        return granted
    if memory.problem:
        say(f"note: {memory.path}: {memory.problem}; what was allowed before is not known", err=True)
    changed = next((time for name in missing if (time := memory.before(lesson, name))), "")
    since = f" has changed since you allowed it on {changed[:10]}, and" if changed else ""
    what = " and ".join(_phrase(name, wanted) for name in missing)
    if interactive and ask(f"{lesson.path}{since} wants to {what}. Allow that, as long as it says the same?"):
        try:
            memory.remember(lesson, frozenset(missing))
        except LessonError as error:
            say(f"note: the answer is not remembered: {error}", err=True)
        return granted | set(missing)
    allow = ",".join(dict.fromkeys(map(kind_of, missing)))
    raise LessonError(
        f"{lesson.path}{since} wants to {what}",
        fix=f"read these steps, then run it again with --allow {allow}",
    )


def _phrase(permission: str, wanted: dict[str, frozenset[str]]) -> str:
    """Return what a permission lets a lesson do, and which steps of the plan want it."""
    from lesson_runner.run.permissions import NETWORK, in_words, kind_of

    what = in_words(permission)
    if kind_of(permission) == NETWORK:  # also said outside of one: a yes is remembered for both
        what += " and, in a sandbox, use the network in its commands"
    return f"{what} ({_steps(permission, wanted)})"


def _steps(permission: str, wanted: dict[str, frozenset[str]]) -> str:
    ids = [f"'{step}'" for step, asked in wanted.items() if permission in asked]
    return f"step{'s' if len(ids) > 1 else ''} {', '.join(ids)}"


def _refuse_what_is_never_read(needed: set[str], wanted: dict[str, frozenset[str]], lesson: Path) -> None:
    from lesson_runner.execute.inputs import READ, why_never

    for permission in sorted(needed):
        kind, _, path = permission.partition(" ")
        if kind == READ and (reason := why_never(Path(path))):
            steps = _steps(permission, wanted)
            raise LessonError(
                f"{lesson} wants to read {path} ({steps}), which is never read: {reason}",
                fix="do not run this lesson; if it is yours, name another file",
            )
