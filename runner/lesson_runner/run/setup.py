"""Set up a run before its first step: lock, folders, disk space for the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lesson_runner.execute.family import Family
from lesson_runner.files.evidence import EVIDENCE, SHARED
from lesson_runner.files.untrusted import make_below, remove_temporary_files
from lesson_runner.model import Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import fix_for
from lesson_runner.plugins.context import RunContext, Workspace
from lesson_runner.run.continued import runs_in
from lesson_runner.run.disk_reserve import reserve_disk_space
from lesson_runner.run.lock import LOCK, lock_folder, locked, locked_place

LABELS = "runner.labels"
"""The key in ``RunContext.store`` of the labels that the run started with."""
GRACE = 2.0
"""Seconds that leftover processes of a killed run get to clean up."""


def check_names(plan: Plan, context: RunContext) -> None:
    """
    Refuse a plan with secrets in its names, which cannot be redacted: files and records are found by them.

    Raises:
        LessonError: a name holds a secret; the run folder is removed.
    """
    names = [("lesson's id", plan.lesson.id), ("profile", plan.profile)]
    names += [(f"step's id on line {step.location.line}", step.id) for step in plan.steps]
    for what, name in names:
        if context.redactor.spans(name):
            with suppress(OSError):
                context.folder.rmdir()
            raise LessonError(
                f"the {what} holds a secret: {context.redactor.text(name)}",
                fix="rename it, or unset the environment variable whose value is an ordinary word",
            )


@contextmanager
def set_up_run(context: RunContext, steps: int) -> Iterator[ExitStack]:
    """
    Lock the run's files, create its folders, and reserve disk space for its record.

    Yields the reserved space; close it before the record is written. If the run is resumed or continues
    another, leftover processes of all runs in the same files, and temporary files, are removed first.

    Args:
        context: the context of the run.
        steps: how many steps the record will have.

    Raises:
        LessonError: another run uses the files, a link leads out of it, the disk is full, or a folder
            cannot be created; an empty run folder is removed.
    """
    with ExitStack() as stack:
        try:
            context.workspace.check_links()
            for folder in {context.folder, context.home}:
                _check_folder(folder)
            stack.enter_context(locked(lock_folder(context.workspace, context.home), context.folder.name))
            if not context.workspace.files.is_relative_to(context.home):
                stack.enter_context(locked_place(context.workspace.files))
            room = stack.enter_context(reserve_disk_space(context.folder, steps))
        except LessonError:
            if not context.resumed:
                with suppress(OSError):
                    (context.folder / LOCK).unlink(missing_ok=True)
                    context.folder.rmdir()
            raise
        if context.resumed or context.continues is not None:
            _clean_up_killed_runs(context)
        try:
            make_below(context.folder, EVIDENCE, SHARED)
            context.workspace.inside(context.workspace.files).mkdir(parents=True, exist_ok=True)
            context.store.save(LABELS, context.labels)
        except OSError as error:
            message = f"{error.filename}: cannot be created: {error.strerror}"
            raise LessonError(message, fix=fix_for(error)) from None
        yield room


def _check_folder(run: Path) -> None:
    """
    Check that no link leads out of a run folder, which may come from elsewhere.

    Raises:
        LessonError: the folder contains such a link.
    """
    for name in (".", "evidence", "memory", "shell"):
        with suppress(OSError):
            for path in (run / name).iterdir():
                Workspace(run).inside(path)


def _clean_up_killed_runs(context: RunContext) -> None:
    """Stop processes and remove temporary files of killed runs; a resumed run takes over its labels."""
    for run in {*runs_in(context.home, context.lesson.id), context.home, context.folder}:
        Family.of_run(run.absolute()).stop(GRACE)  # a repeated step must be the only writer
    for folder in {context.home, context.folder}:  # with --in, the files are the user's
        remove_temporary_files(folder)
    kept = context.store.load(LABELS)
    context.labels = tuple(dict.fromkeys((*context.labels, *(kept if isinstance(kept, list) else ()))))
