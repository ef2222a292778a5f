"""
Prepare a run: from a lesson and :class:`RunOptions` to everything that :func:`run_plan` needs.

Whatever runs a lesson (``lesson run``, ``resume``, ``certify``, a fleet, a test) goes through here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.execute.environment import redactor_for
from lesson_runner.execute.inputs import Inputs
from lesson_runner.execute.sandbox import Sandbox
from lesson_runner.model import Diagnostic, Lesson, Plan, PlannedStep, first_error
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.plugins.context import RunContext, Workspace
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.consent import check_permissions
from lesson_runner.run.events import Listener
from lesson_runner.run.options import RunOptions, check_backend
from lesson_runner.run.permissions import NETWORK, kind_of
from lesson_runner.run.plan import choose_profile, make_plan
from lesson_runner.run.resume import Begun, Carried, carry
from lesson_runner.run.runner import new_run_folder, run_plan
from lesson_runner.run.selection import selected


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A plan that may be run, once or several times."""

    plan: Plan
    plugins: Plugins
    options: RunOptions
    granted: frozenset[str]
    """The permissions of its steps."""
    folder: Path | None = None
    """The folder of the run that is resumed; ``None``: each run gets a new one."""
    carried: Carried | None = None
    """What that run has done."""

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps that the selection leaves to run."""
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
            Workspace(folder) if options.fresh else options.workspace,
            folder,
            options.hardware,
            options.fresh,
            interactive=options.ask is not None,
            ask=options.ask,
            resumed=self.carried is not None,
            passed=options.passed,
            sandbox=options.sandbox,
            redactor=redactor_for(passed=options.passed),
            granted=self.granted,
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
            carried=self.carried,
        )


def plan_run(lesson: Lesson, problems: Iterable[Diagnostic], plugins: Plugins, options: RunOptions) -> Plan:
    """
    Return what a run would do.

    Raises:
        InvalidLessonError: the lesson has errors.
        LessonError: there is no such backend, profile or parameter.
    """
    found = tuple(problems)
    if first_error(found):  # an invalid lesson cannot say which profiles it has
        raise InvalidLessonError(found)
    backend = check_backend(options.backend)
    profile = choose_profile(lesson, plugins, options.profile, options.hardware, backend)
    return make_plan(lesson, found, plugins, profile, options.params)


def prepare_run(
    plan: Plan,
    plugins: Plugins,
    options: RunOptions,
    *,
    installed: bool = False,
    begun: Begun | None = None,
) -> PreparedRun:
    """
    Make sure that a plan may be run with these options, and return it with everything that a run needs.

    Args:
        installed: the lesson came with a plugin, and needs no permission.
        begun: the run to resume; a new run if left out.

    Raises:
        LessonError: there is no such step, a permission was not given, or the run cannot be resumed.
    """
    steps = selected(plan, options.selection)
    folder = carried = None
    own: tuple[Path, ...] = () if options.fresh else (options.workspace.files,)
    if begun is not None:
        folder = begun.folder
        files = (Workspace(folder) if options.fresh else options.workspace).files
        carried = carry(begun, plan, options.hardware, plugins.infos.values(), files)
        steps = tuple(step for step in steps if step.id not in carried.results)
        own = (files, folder)
    inputs = Inputs(plan.lesson.path, own, options.sandbox, given=begun is None)
    granted = check_permissions(plan, steps, plugins, options, inputs, installed=installed)
    options = dataclasses.replace(options, sandbox=_with_network(options.sandbox, granted))
    return PreparedRun(plan, plugins, options, granted, folder, carried)


def _with_network(sandbox: Sandbox | None, granted: Collection[str]) -> Sandbox | None:
    """Return a sandbox that has network if the permissions allow any."""
    return sandbox and dataclasses.replace(sandbox, network=NETWORK in map(kind_of, granted))
