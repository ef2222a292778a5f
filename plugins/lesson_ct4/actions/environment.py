"""The action ``ct4.check-environment``: check the machine without changing it."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.model import Json, Outcome
from lesson_runner.plugins.checks import Check, Machine
from lesson_runner.plugins.context import StepContext
from lesson_tenstorrent.disk import disk_check
from lesson_tenstorrent.findings import outcome, run_and_show
from lesson_tenstorrent.table import CHECKS


def checks_for(params: Json) -> Iterable[Check]:
    """Return the checks of everything that training needs, with the disk space that the step asks for."""
    disk = disk_check(params.get("disk_gb"))
    return [disk if check.id == disk.id else check for check in CHECKS]


def run(params: Json, context: StepContext) -> Outcome:
    """Run all checks, print them as a table, and fail if one failed."""
    machine = Machine(
        backend=context.run.backend,
        hardware=context.run.hardware,
        lesson=context.run.lesson.frontmatter,
        workspace=context.workspace.root,
    )
    return outcome(run_and_show(list(checks_for(params)), machine, context))
