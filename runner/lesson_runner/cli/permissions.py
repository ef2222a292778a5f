"""``--allow``: what a lesson from elsewhere may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lesson_runner.cli.common import ask
from lesson_runner.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Lesson, PlannedStep
    from lesson_runner.plugins import Plugins

PERMISSIONS = ("shell",)


def allowed_permissions(allow: list[str] | None) -> set[str]:
    """
    Return what ``--allow`` says.

    Raises:
        LessonError: there is no such permission.
    """
    allowed = {name.strip() for item in allow or () for name in item.split(",")}
    for name in allowed - set(PERMISSIONS):
        raise LessonError(
            f"--allow {name}: there is no such permission", fix=f"one of: {', '.join(PERMISSIONS)}"
        )
    return allowed


def check_permissions(
    lesson: Lesson, steps: Iterable[PlannedStep], plugins: Plugins, allowed: set[str], interactive: bool
) -> None:
    """
    Make sure that a lesson from elsewhere runs other people's code only with leave.

    Raises:
        LessonError: leave was not given.
    """
    actions = plugins.actions()
    asking = [step for step in steps if actions[step.action].permissions - allowed]
    if not asking:
        return
    names = ", ".join(f"'{step.id}'" for step in asking)
    wanted = sorted({name for step in asking for name in actions[step.action].permissions - allowed})
    question = f"{lesson.path} wants to run commands of its own (steps {names}). Allow that?"
    if interactive and ask(question):
        return
    raise LessonError(
        f"{lesson.path}: steps {names} run commands of the lesson's author on this machine",
        fix=f"read them, then run again with --allow {','.join(wanted)}",
    )
