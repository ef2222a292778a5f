"""
Prepare a run: turn a lesson and :class:`RunOptions` into everything that :func:`run_plan` needs.

Everything that runs a lesson (``lesson run``, ``resume``, ``certify``, a fleet, a test) uses this module.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.execute.environment import redactor_for
from lesson_runner.execute.inputs import Inputs
from lesson_runner.execute.sandbox import Sandbox
from lesson_runner.model import Diagnostic, Lesson, Plan, PlannedStep, first_error
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.plugins.context import FILES, RunContext, Workspace
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.consent import Consent, check_permissions, consent_of
from lesson_runner.run.continued import home_of, run_to_continue
from lesson_runner.run.events import Listener
from lesson_runner.run.options import RunOptions, check_backend
from lesson_runner.run.permissions import NETWORK, kind_of
from lesson_runner.run.plan import choose_profile, make_plan, recognised
from lesson_runner.run.resume import CarriedOver, ResumableRun, carry_over
from lesson_runner.run.runner import new_run_folder, run_plan
from lesson_runner.run.selection import not_allowed, selected


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A plan that is ready to run, once or several times."""

    plan: Plan
    plugins: Plugins
    options: RunOptions
    granted: frozenset[str]
    """The permissions of its steps."""
    folder: Path | None = None
    """The folder of the run to resume; ``None``: each run gets a new folder."""
    carried: CarriedOver | None = None
    """What is taken over from that run."""
    continues: Path | None = None
    """The folder of the run whose files and terminal each run continues; ``None``: its own."""

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The selected steps."""
        return selected(self.plan, self.options.selection)

    def open(self) -> RunContext:
        """
        Return the context of one run, in a new folder unless it is resumed.

        Raises:
            LessonError: the workspace cannot be written, or the folder is a link that leaves it.
        """
        plan, options = self.plan, self.options
        folder = self.folder or new_run_folder(options.workspace.runs, plan.lesson.id)
        return RunContext(
            plan.lesson,
            plan.profile,
            options.backend,
            _workspace(options, self.continues or folder),
            folder,
            options.hardware,
            options.fresh,
            self.continues,
            interactive=options.ask is not None,
            ask=options.ask,
            resumed=self.carried is not None,
            passed=options.passed,
            sandbox=options.sandbox,
            redactor=redactor_for(passed=options.passed, more=_secret_answers(plan)),
            own_home=plan.recognised,
            granted=self.granted,
            steps=tuple(step.id for step in plan.steps),
        )

    def run(self, context: RunContext, listeners: Sequence[Listener] = ()) -> dict[str, Any]:
        """Run the plan in an open context; returns and raises what :func:`run_plan` does."""
        return run_plan(
            self.plan,
            context,
            self.plugins,
            listeners=listeners,
            selection=self.options.selection,
            params=self.options.params,
            choices=dict(self.options.choices),
            carried=self.carried,
        )


def _secret_answers(plan: Plan) -> Iterator[str]:
    """Yield the answers of a plan's steps that must not be shown."""
    for step in plan.steps:
        for item in step.params.get("answers", ()) if step.action == "shell" else ():
            if item.get("secret"):
                yield item["answer"]


def plan_run(lesson: Lesson, problems: Iterable[Diagnostic], plugins: Plugins, options: RunOptions) -> Plan:
    """
    Return what a run would do.

    Raises:
        InvalidLessonError: the lesson has errors.
        LessonError: the backend, the profile or a parameter does not exist.
    """
    found = tuple(problems)
    if first_error(found):  # the profiles of an invalid lesson are unknown
        raise InvalidLessonError(found)
    backend = check_backend(options.backend)
    choices = dict(options.choices)
    recognition = recognised(lesson, plugins, options.params, choices)
    known = recognition.lesson if recognition else lesson
    profile = choose_profile(known, plugins, options.profile, options.hardware, backend)
    return make_plan(lesson, found, plugins, profile, options.params, choices, recognition)


def consent_to(plan: Plan, plugins: Plugins, options: RunOptions, *, installed: bool = False) -> Consent:
    """
    Return the permissions that a new run of a plan has, and those that it needs besides.

    Args:
        installed: the lesson came with a plugin, and needs no permission.

    Raises:
        LessonError: a permission can never be granted.
    """
    inputs = Inputs(plan.lesson.path, (), options.sandbox, fresh_params=True)
    steps = selected(plan, options.selection)
    return consent_of(plan, steps, plugins, options, inputs, installed=installed)


def prepare_run(
    plan: Plan,
    plugins: Plugins,
    options: RunOptions,
    *,
    installed: bool = False,
    resume: ResumableRun | None = None,
) -> PreparedRun:
    """
    Check that a plan may run with these options, and return it with everything that a run needs.

    Args:
        installed: the lesson came with a plugin, and needs no permission.
        resume: the run to resume; ``None``: start a new run.

    Raises:
        LessonError: a selected step does not exist, a permission was not granted, or there is no run to
            continue, or the run cannot be resumed.
    """
    steps = selected(plan, options.selection)
    folder = carried = None
    if resume is None:
        continues = run_to_continue(plan, options, plugins.actions())
    else:
        folder, home = resume.folder, home_of(resume.folder, resume.record)
        continues = None if home == folder else home
        files = _workspace(options, home).files
        carried = carry_over(resume, plan, options.hardware, plugins.infos.values(), files)
        steps = tuple(step for step in steps if step.id not in carried.results)
    steps = tuple(step for step in steps if not not_allowed(step, options.allowed))
    own = tuple(filter(None, (continues, folder)))
    inputs = Inputs(plan.lesson.path, own, options.sandbox, fresh_params=resume is None)
    granted = check_permissions(plan, steps, plugins, options, inputs, installed=installed)
    options = dataclasses.replace(options, sandbox=_with_network(options.sandbox, granted))
    return PreparedRun(plan, plugins, options, granted, folder, carried, continues)


def _workspace(options: RunOptions, home: Path) -> Workspace:
    """Return the workspace of a run whose files are in the run folder ``home``, unless ``--in`` is given."""
    return Workspace(options.workspace.root, options.place or home / FILES)


def _with_network(sandbox: Sandbox | None, granted: Collection[str]) -> Sandbox | None:
    """Return the sandbox, with network if a permission allows it."""
    return sandbox and dataclasses.replace(sandbox, network=NETWORK in map(kind_of, granted))
