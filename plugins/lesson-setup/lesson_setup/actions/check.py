"""The action ``setup.check``: check the machine without changing it."""

from __future__ import annotations

from lesson_runner.plugins import Check, Json, Outcome, StepContext
from lesson_setup import machine
from lesson_setup.checks.system import MEMORY_GB
from lesson_setup.checks.table import all_checks
from lesson_setup.summary import state_of
from lesson_tenstorrent.findings import outcome, run_and_show


def checks_for(params: Json) -> list[Check]:
    """Return the checks that a step selects, with the limits it sets."""
    checks = all_checks(
        machine.PLACES, params.get("memory_gb", MEMORY_GB), params.get("disk_gb"), params.get("metal", "")
    )
    wanted = params.get("checks")
    return [check for check in checks if wanted is None or check.id in wanted]


def run(params: Json, context: StepContext) -> Outcome:
    """Run the selected checks, print them as a table, and fail if one failed."""
    here = machine.machine_of(context.run)
    results = run_and_show(checks_for(params), here, context)
    state_of(context.run).findings.update({check.id: (check, finding) for check, finding in results})
    return outcome(results)
