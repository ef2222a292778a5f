"""The action ``setup.check``: look at the machine, change nothing."""

from __future__ import annotations

from lesson_runner.plugin import Json, Outcome, StepContext
from lesson_setup import machine
from lesson_setup.checks.system import MEMORY_GB
from lesson_setup.checks.table import all_checks
from lesson_setup.summary import known
from lesson_tenstorrent.findings import look, outcome


def run(params: Json, context: StepContext) -> Outcome:
    """Run the selected checks, print them as a table, and fail if one failed."""
    whole = context.run
    here = machine.this_machine(whole.backend, whole.workspace.root, params.get("disk_gb"))
    memory = params.get("memory_gb", MEMORY_GB)
    checks = all_checks(machine.PLACES, machine.minimum_metal(params.get("metal"), whole), memory)
    wanted = params.get("checks")
    chosen = [check for check in checks if wanted is None or check.id in wanted]
    results = look(chosen, here, context)
    known(whole).findings.update({check.id: (check, finding) for check, finding in results})
    return outcome(results)
