"""The action ``ct4.check-environment``: look at the machine, change nothing."""

from __future__ import annotations

import dataclasses
import json

from lesson_ct4.environment import CHECKS
from lesson_runner.context import StepContext
from lesson_runner.model import Json, Outcome
from lesson_runner.resources import write_aside
from lesson_tenstorrent.checks import Machine, run_checks, table

RECORD = "environment.json"


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
    findings = [
        {"id": check.id, "title": check.title, "why": check.why, **dataclasses.asdict(finding)}
        for check, finding in results
    ]
    write_aside(context.evidence / RECORD, json.dumps(findings, indent=2) + "\n")
    failed = [check.title for check, finding in results if finding.status == "failed"]
    if failed:
        return Outcome(status="failed", message=f"failed: {', '.join(failed)}")
    return Outcome()
