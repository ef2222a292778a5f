"""What the lesson asks of a machine, and the action that asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lesson_ct4 import environment
from lesson_ct4.actions import environment as act_environment
from lesson_ct4.environment import (
    CHECKS,
    check_packages,
    check_python,
    torch_is_tested,
)
from lesson_ct4.measuring import evidence
from lesson_runner.context import StepContext
from lesson_runner.model import Evidence
from lesson_tenstorrent.checks import Machine
from lesson_tenstorrent.disk import check_disk


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(devices=tmp_path / "none", workspace=tmp_path / "not" / "yet", backend="emulated")


@pytest.mark.parametrize(
    ("version", "status"), [((3, 9, 18), "failed"), ((3, 10, 0), "ok"), ((3, 14, 1), "ok")]
)
def test_python(machine: Machine, version: tuple[int, int, int], status: str) -> None:
    finding = check_python(replace(machine, python_version=version))

    assert (finding.status, finding.expected) == (status, "3.10 or newer")


def test_disk(machine: Machine) -> None:
    assert check_disk(replace(machine, disk_gb=0)).status == "ok"
    finding = check_disk(replace(machine, disk_gb=1e9))
    assert (finding.status, finding.expected) == ("failed", "1e+09 GB")
    assert check_disk(machine).expected == "1 GB"
    assert check_disk(replace(machine, backend="ttml")).expected == "5 GB"


def test_packages(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    versions: dict[str, str | None] = {"numpy": "2.0", "safetensors": "0.5", "ml_dtypes": "0.5"}
    monkeypatch.setattr(environment, "package_version", versions.get)

    missing = check_packages(machine)
    assert (missing.status, missing.found) == ("failed", "not installed: torch")
    assert missing.fix == "pip install 'lesson-runner[cpu]'"
    assert check_packages(replace(machine, backend="ttml")).status == "ok"

    versions["torch"] = "2.7.1+cpu"
    assert check_packages(machine).status == "ok"
    versions["torch"] = "2.14.0"
    assert check_packages(machine).status == "warning"


@pytest.mark.parametrize(
    ("version", "tested"), [("2.6", True), ("2.13.0+cpu", True), ("1.0", False), ("?", False)]
)
def test_the_tested_range_of_torch(version: str, tested: bool) -> None:
    assert torch_is_tested(version) == tested


def test_ids_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


@pytest.mark.torch
def test_the_action_prints_a_table_and_keeps_the_findings(step: Callable[..., StepContext]) -> None:
    context = step("environment", "ct4.check-environment")

    outcome = act_environment.run({"disk_gb": 0}, context)

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
    outcome = act_environment.run({"disk_gb": 1e9}, step())

    assert (outcome.status, outcome.message) == ("failed", "failed: disk space")
