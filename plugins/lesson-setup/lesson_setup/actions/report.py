"""The action ``setup.report``: what this machine can do, from what the run has found out."""

from __future__ import annotations

import dataclasses

from lesson_runner.plugins import Json, Outcome, StepContext
from lesson_runner.plugins.checks import run_checks
from lesson_setup import machine
from lesson_setup.checks.table import all_checks
from lesson_setup.evidence import SUMMARY, write
from lesson_setup.summary import known, summarise
from lesson_tenstorrent.findings import facts_of, keep


def run(params: Json, context: StepContext) -> Outcome:  # noqa: ARG001
    """Sum up; what no step of this run has checked is checked now."""
    here = machine.machine_of(context.run)
    found = known(context.run)
    results = []
    for check in all_checks(machine.PLACES):
        context.check_time()
        results += [found.findings[check.id]] if check.id in found.findings else run_checks([check], here)
    summary = summarise(here, context.run.hardware, results, found.failures)
    context.say("\n".join(summary.lines))
    keep(results, context.evidence)
    write(context.evidence / SUMMARY, dataclasses.asdict(summary))
    facts = {**facts_of(results), "setup": {"ready": summary.ready, "runs_on": summary.runs_on}}
    if summary.ready:
        return Outcome(facts=facts)
    return Outcome("failed", summary.lines[0], facts=facts)
