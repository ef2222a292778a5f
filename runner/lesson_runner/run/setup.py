"""What must be so before a run's first step: the workspace is its own, and there is room for the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lesson_runner.execute.family import Family
from lesson_runner.files.evidence import EVIDENCE, SHARED
from lesson_runner.files.untrusted import make_below, remove_asides
from lesson_runner.model import Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import cure
from lesson_runner.plugins.context import RunContext, Workspace
from lesson_runner.run.disk_reserve import reserve_disk_space
from lesson_runner.run.lock import locked

LABELS = "runner.labels"
"""What :meth:`RunContext.remember` calls the labels of whoever started the run."""
GRACE = 2.0
"""Seconds for processes that a killed run has left to tidy up in."""


def check_names(plan: Plan, context: RunContext) -> None:
    """
    Refuse a plan in whose names there are secrets: files, steps and records are found by them.

    Raises:
        LessonError: there are; nothing of the run is left.
    """
    names = [("lesson's id", plan.lesson.id), ("profile", plan.profile)]
    names += [(f"step's id in line {step.location.line}", step.id) for step in plan.steps]
    for what, name in names:
        if context.redactor.spans(name):
            with suppress(OSError):
                context.folder.rmdir()
            raise LessonError(
                f"the {what} holds a value that must not be shown: {context.redactor.text(name)}",
                fix="rename it, or unset the environment variable whose value is an ordinary word",
            )


@contextmanager
def set_up_run(context: RunContext, steps: int) -> Iterator[ExitStack]:
    """
    Lock the workspace, make a run's folders, and keep room for its record until the value is closed.

    Args:
        context: the run's; of one that is gone on with, what it left half-done is ended and removed.
        steps: how many the record will have.

    Raises:
        LessonError: another run has the workspace, a link leaves it, there is no room, or a folder cannot be
            made; nothing is left then.
    """
    with ExitStack() as stack:
        try:
            context.workspace.check_links()
            _check_folder(context.folder)
            stack.enter_context(locked(context.workspace.root, context.folder.name))
            room = stack.enter_context(reserve_disk_space(context.folder, steps))
        except LessonError:
            with suppress(OSError):  # of a run that has not begun; one that has is not empty
                context.folder.rmdir()
            raise
        if context.resumed:
            _clean_up_killed_run(context)
        try:
            make_below(context.folder, EVIDENCE, SHARED)
            context.workspace.files.mkdir(parents=True, exist_ok=True)
            context.store.save(LABELS, context.labels)
        except OSError as error:
            message = f"{error.filename}: cannot be made: {error.strerror}"
            raise LessonError(message, fix=cure(error)) from None
        yield room


def _check_folder(run: Path) -> None:
    """
    Make sure that what a run writes and deletes is in its folder, which may have come from elsewhere.

    Raises:
        LessonError: something in it is a link.
    """
    for name in (".", "evidence", "memory", "shell"):
        with suppress(OSError):
            for path in (run / name).iterdir():
                Workspace(run).inside(path)


def _clean_up_killed_run(context: RunContext) -> None:
    """End and remove what a killed run has left, and take over its labels."""
    Family.of_run(context.folder.absolute()).stop(GRACE)  # a step that is run again must write alone
    for folder in (context.workspace.files, context.folder):
        remove_asides(folder)
    kept = context.store.load(LABELS)
    context.labels = tuple(dict.fromkeys((*context.labels, *(kept if isinstance(kept, list) else ()))))
