"""The action ``ct4.check-environment``: look at the machine, change nothing."""

from __future__ import annotations

from lesson_ct4.environment import CHECKS
from lesson_runner.context import StepContext
from lesson_runner.model import Json, Outcome
from lesson_tenstorrent.checks import Machine, run_checks, table
from lesson_tenstorrent.findings import keep, outcome


def run(params: Json, context: StepContext) -> Outcome:
    """Run all checks, print them as a table, and fail if one failed."""
    machine = Machine(
        backend=context.run.backend,
        workspace=context.workspace.root,
        disk_gb=params.get("disk_gb"),
    )
    results = []
    for done, check in enumerate(CHECKS, start=1):
        context.check_time()
        results += run_checks([check], machine)
        context.progress(done, len(CHECKS))
    context.say(table(results))
    keep(results, context.evidence)
    return outcome(results)
