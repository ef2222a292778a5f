"""The action ``setup.report``: say what this machine can do, based on what the run found."""

from __future__ import annotations

import dataclasses

from lesson_runner.plugins import Json, Outcome, StepContext
from lesson_runner.plugins.checks import run_checks
from lesson_setup import machine
from lesson_setup.checks.table import all_checks
from lesson_setup.evidence import SUMMARY, write
from lesson_setup.summary import state_of, summarise
from lesson_tenstorrent.findings import facts_of, write_findings


def run(params: Json, context: StepContext) -> Outcome:  # noqa: ARG001
    """Summarise the findings; checks that no step of this run has made are made now."""
    here = machine.machine_of(context.run)
    found = state_of(context.run)
    results = []
    for check in all_checks(machine.PLACES):
        context.check_time()
        results += [found.findings[check.id]] if check.id in found.findings else run_checks([check], here)
    summary = summarise(here, context.run.hardware, results, found.failures)
    context.say("\n".join(summary.lines))
    write_findings(results, context.evidence)
    write(context.evidence / SUMMARY, dataclasses.asdict(summary))
    facts = {**facts_of(results), "setup": {"ready": summary.ready, "runs_on": summary.runs_on}}
    if summary.ready:
        return Outcome(facts=facts)
    return Outcome("failed", summary.lines[0], facts=facts)
