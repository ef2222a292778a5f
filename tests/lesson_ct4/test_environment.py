"""The requirements of the lesson, and the action that checks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lesson_ct4.actions import environment
from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.measuring import evidence
from lesson_runner.files.evidence import Evidence
from lesson_runner.plugins.action_errors import load
from lesson_runner.plugins.checks import Machine
from lesson_runner.plugins.context import StepContext
from lesson_tenstorrent.disk import check_disk
from lesson_tenstorrent.table import CHECKS


def test_disk(tmp_path: Path) -> None:
    machine = Machine(workspace=tmp_path / "not" / "yet", backend="emulated")

    assert check_disk(machine, 0).status == "ok"
    finding = check_disk(machine, 1e9)
    assert (finding.status, finding.expected) == ("failed", "1e+09 GB")
    assert check_disk(machine).expected == "1 GB"
    assert check_disk(Machine(workspace=tmp_path, backend="ttml")).expected == "5 GB"


def test_the_doctor_is_told_the_same_checks(tmp_path: Path) -> None:
    (action,) = [item for item in ACTIONS if item.name == "ct4.check-environment"]
    assert action.checks is not None

    told = {check.id: check for check in load(action.checks)({"disk_gb": 1e9})}

    assert list(told) == [check.id for check in CHECKS]
    assert told["disk"].run(Machine(workspace=tmp_path)).status == "failed"


@pytest.mark.torch
def test_the_action_prints_a_table_and_keeps_the_findings(step: Callable[..., StepContext]) -> None:
    context = step("environment", "ct4.check-environment")

    outcome = environment.run({"disk_gb": 0}, context)

    findings = json.loads((context.evidence / "environment.json").read_text())
    assert outcome.status == "passed"
    assert {finding["status"] for finding in findings} <= {"ok", "warning", "skipped"}
    assert "skipped  import ttml" in "\n".join(context.lines)
    assert "not needed: --backend emulated" in "\n".join(context.lines)
    stored = Evidence(context.evidence, context.run.shared_evidence)
    metrics = evidence.measure_action("ct4.check-environment", stored)
    assert (metrics["checks"], metrics["failed_checks"]) == (len(CHECKS), 0)


@pytest.mark.torch
def test_the_action_fails_with_what_failed(step: Callable[..., StepContext]) -> None:
    outcome = environment.run({"disk_gb": 1e9}, step())

    assert (outcome.status, outcome.message) == ("failed", "failed: disk space")
