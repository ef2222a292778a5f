"""The action ``ct4.check-environment``: look at the machine, change nothing."""

from __future__ import annotations

from lesson_ct4.environment import CHECKS
from lesson_runner.context import StepContext
from lesson_runner.model import Json, Outcome
from lesson_tenstorrent.checks import Machine
from lesson_tenstorrent.findings import look, outcome


def run(params: Json, context: StepContext) -> Outcome:
    """Run all checks, print them as a table, and fail if one failed."""
    machine = Machine(
        backend=context.run.backend,
        workspace=context.workspace.root,
        disk_gb=params.get("disk_gb"),
    )
    return outcome(look(CHECKS, machine, context))
