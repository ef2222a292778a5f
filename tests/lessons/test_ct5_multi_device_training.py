"""The lesson itself, run as a user runs it: in a separate process, in an empty folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said
from tests.lessons.running import lesson

LESSON = "ct5-multi-device-training"


def test_the_full_profile_is_what_was_published(installed_lesson: Callable[..., Said]) -> None:
    plan = installed_lesson("plan", LESSON, "--profile", "full", "--json").json

    trained = {step["id"]: step["params"] for step in plan["steps"] if step["action"] == "ct4.train"}
    assert {(p["mesh"], p["batch_size"]) for name, p in trained.items() if name.startswith("chips")} == {
        *(("1x1", 64), ("1x2", 128), ("1x4", 256))
    }
    assert {(p["mesh"], p["batch_size"]) for name, p in trained.items() if name.startswith("same")} == {
        *(("1x1", 64), ("1x2", 64), ("1x4", 64))
    }
    assert all(p["n_embd"] == 384 and p["learning_rate"] == 3e-4 for p in trained.values())
    needs = {step["id"]: step["needs"] for step in plan["steps"]}
    assert {"same-1", "same-2", "same-4"} <= set(needs["same-loss-4"])
    assert "chips-4" not in needs["scaling-2"]


def test_a_batch_that_does_not_divide_is_found_before_anything_runs(
    installed_lesson: Callable[..., Said], tmp_path: Path
) -> None:
    result = installed_lesson("run", LESSON, "--param", "batch_size=6")

    assert result.code == 2
    assert "--batch_size 6 does not divide over 4 chips" in result.err
    assert not (tmp_path / ".lesson").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.torch
def test_the_whole_lesson_is_certified_for_what_it_is(tmp_path: Path) -> None:
    """Two passes, which show what they should; a certificate, checked by somebody else elsewhere."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    assert lesson(here, "cert", "keys", "new", "lab").returncode == 0
    (here / "lab.pub").write_text(lesson(here, "cert", "keys", "list", "lab").stdout)
    options = ["--policy", "emulated", "--param", "fallback=only", "--backend", "emulated"]

    result = lesson(here, "certify", LESSON, *options, timeout=850)

    assert result.returncode == 0, result.stdout[-3000:]
    runs = sorted((here / ".lesson" / "runs").iterdir())
    assert len(runs) == 2
    for run in runs:
        check_chips(json.loads((run / "record.json").read_text("utf-8")))
    (certificate,) = (here / ".lesson" / "certificates").iterdir()
    shutil.move(certificate, there / "certificate")
    checked = lesson(there, "cert", "verify", "certificate", "--key", str(here / "lab.pub"), "--json")
    answer = json.loads(checked.stdout)
    assert answer["holds"], answer
    assert answer["certificate"]["target"] == "emulated"
    refused = lesson(here, "certify", LESSON, *(f"--from-run={run}" for run in runs), "--json")
    missing = {item["requirement"] for item in json.loads(refused.stdout)["findings"] if not item["met"]}
    assert refused.returncode == 5
    assert {"class", "hardware", "profile", "parameters", "fact backend.name"} <= missing
    assert {"fact backend.kind", "fact dataset.pinned"} <= missing


def check_chips(record: dict[str, Any]) -> None:
    """Check that every step passed, and that several chips learned what one learns."""
    steps = {step["id"]: step for step in record["steps"]}
    assert {name: step["message"] for name, step in steps.items() if step["status"] != "passed"} == {}
    assert record["labels"] == ["emulated", "synthetic dataset"]
    for name in ("same-loss-2", "same-loss-4", "scaling-2", "scaling-4"):
        assert "emulated" in steps[name]["labels"]
    assert record["facts"]["backend"]["kind"] == "emulated"
    assert {claim["result"] for step in steps.values() for claim in step["claims"]} == {"not evaluated"}
    # On one processor, no efficiency is expected: only boards are held to it.
    assert [verdict["matcher"] for verdict in steps["scaling-4"]["verdicts"]] == ["metric"]
    assert steps["text"]["metrics"]["characters"] == 100
