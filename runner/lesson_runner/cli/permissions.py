"""``--allow``: what a lesson from elsewhere may do, asked once for what it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lesson_runner.cli.common import ask
from lesson_runner.cli.output import say
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Lesson, PlannedStep
    from lesson_runner.plugins import Plugins


def allowed_permissions(allow: list[str] | None) -> set[str]:
    """
    Return what ``--allow`` says.

    Raises:
        LessonError: there is no such permission.
    """
    from lesson_runner.run.permissions import PERMISSIONS

    allowed = {name.strip() for item in allow or () for name in item.split(",")}
    for name in sorted(allowed - set(PERMISSIONS)):
        raise LessonError(
            f"--allow {name}: there is no such permission", fix=f"one of: {', '.join(PERMISSIONS)}"
        )
    return allowed


def check_permissions(
    lesson: Lesson, steps: Iterable[PlannedStep], plugins: Plugins, allowed: set[str], interactive: bool
) -> set[str]:
    """
    Make sure that a lesson from elsewhere does only what it may, and return what that is.

    It may do what ``--allow`` says, what was answered with yes before for just this content, and what is
    answered with yes now; that is remembered.

    Raises:
        LessonError: leave was not given.
    """
    from lesson_runner.run.permissions import PERMISSIONS, Memory, asked_by

    actions = plugins.actions()
    wanted = {step.id: asked_by(step, actions[step.action]) for step in steps}
    memory = Memory.read()
    granted = allowed | memory.granted(lesson)
    missing = [name for name in PERMISSIONS if any(name in asked - granted for asked in wanted.values())]
    if not missing:
        return granted
    if memory.problem:
        say(f"note: {memory.path}: {memory.problem}; what was allowed before is not known", err=True)
    changed = next((time for name in missing if (time := memory.before(lesson, name))), "")
    since = f" has changed since you allowed it on {changed[:10]}, and" if changed else ""
    parts = []
    for name in missing:
        ids = ", ".join(f"'{step}'" for step, asked in wanted.items() if name in asked)
        parts.append(f"{PERMISSIONS[name]} (steps {ids})")
    what = " and ".join(parts)
    if interactive and ask(f"{lesson.path}{since} wants to {what}. Allow that, as long as it says the same?"):
        try:
            memory.remember(lesson, frozenset(missing))
        except LessonError as error:
            say(f"note: the answer is not remembered: {error}", err=True)
        return granted | set(missing)
    raise LessonError(
        f"{lesson.path}{since} wants to {what}",
        fix=f"read these steps, then run it again with --allow {','.join(missing)}",
    )
