"""The metrics of a comparison: computed by hand, and invariants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_ct5.scaling import Run, measure, rows, runs_from
from lesson_ct5.stored import metrics, sections
from lesson_runner.files.evidence import Evidence

LOSS = [4.66, 4.0, 3.5]


def run(chips: int, batch: int, ms: float, losses: list[float] | None = None) -> Run:
    found = losses or LOSS
    return Run(f"x{chips}", chips, batch, 256, tuple(found), (9.0, *[ms / 1000] * (len(found) - 1)))


def stored(*runs: Run) -> dict[str, Any]:
    return {
        "runs": [{name: getattr(item, name) for name in Run.__slots__} for item in runs],
        "session": {"kind": "silicon"},
        "dataset": {},
    }


def test_the_published_times_are_an_efficiency_of_98_and_99_percent() -> None:
    found = measure([run(1, 64, 74.4), run(2, 128, 76.3), run(4, 256, 74.8)])

    assert found["ms_per_step_2"] == pytest.approx(76.3)  # the first step, 9 s, compiles
    assert found["speedup_2"] == pytest.approx(1.950, abs=1e-3)
    assert found["speedup_4"] == pytest.approx(3.979, abs=1e-3)
    assert found["efficiency_2"] == pytest.approx(74.4 / 76.3)
    assert found["efficiency"] == pytest.approx(74.4 / 76.3)
    assert found["tokens_per_second_1"] == pytest.approx(64 * 256 / 0.0744)
    assert "loss_gap" not in found  # the batches differ


def test_the_same_batches_have_a_gap_and_a_strong_efficiency() -> None:
    found = measure([run(1, 64, 80), run(2, 64, 50, [4.66, 4.1, 3.45])])

    assert found["loss_gap"] == pytest.approx(0.1)
    assert found["final_loss_gap"] == pytest.approx(0.05 / 3, abs=1e-9)
    assert found["efficiency_2"] == pytest.approx(0.8)


def test_a_row_of_the_table() -> None:
    assert rows([run(1, 64, 74.4), run(4, 256, 74.8)])[1] == [
        *("4", "256", "64", "74.8", "876,150", "3.98", "99 %", "4.053")
    ]


@given(
    st.lists(st.floats(0.1, 1e6), min_size=2, max_size=6),
    st.integers(1, 512),
    st.integers(2, 64),
)
def test_perfect_scaling_is_an_efficiency_of_one(times: list[float], batch: int, chips: int) -> None:
    seconds = tuple(times)
    one = Run("a", 1, batch, 32, (1.0,) * len(seconds), seconds)
    many = Run("b", chips, batch * chips, 32, (1.0,) * len(seconds), seconds)

    assert measure([one, many])["efficiency"] == pytest.approx(1)


def test_metrics_are_computed_from_stored_data(tmp_path: Path) -> None:
    data = stored(run(4, 256, 74.8), run(1, 64, 74.4))
    (tmp_path / "comparison.json").write_text(json.dumps(data))

    assert [item.chips for item in runs_from(data)] == [1, 4]
    assert metrics(Evidence(tmp_path, tmp_path))["efficiency_4"] == pytest.approx(74.4 / 74.8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"runs": []}',
        '{"runs": 3}',
        '{"runs": [{"chips": 1}]}',
        "[" * 100_000,
        json.dumps(stored(run(1, 64, 0.0), run(2, 64, 0.0))),
        json.dumps(stored(run(1, 64, 1.0), run(2, 64, 1.0, [1.0]))),
    ],
)
def test_damaged_evidence_has_no_metrics(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "x"
    folder.mkdir(parents=True)
    (folder / "comparison.json").write_text(text)
    record = {"steps": [{"id": "x", "action": "ct5.compare", "labels": []}]}

    assert metrics(Evidence(folder, folder)) == {}
    assert metrics(Evidence(tmp_path / "nowhere", tmp_path)) == {}
    assert sections(record, tmp_path, "ct5.compare") == []


def test_a_report_notes_times_without_a_board(tmp_path: Path) -> None:
    (tmp_path / "evidence" / "x").mkdir(parents=True)
    data = stored(run(1, 8, 10), run(2, 16, 20))
    (tmp_path / "evidence" / "x" / "comparison.json").write_text(json.dumps(data))
    step = {"id": "x", "title": "One and two", "action": "ct5.compare"}
    other = {"id": "y", "action": "ct4.train", "labels": []}

    emulated, simulated, real = (
        sections({"steps": [other, {**step, "labels": labels}]}, tmp_path, "ct5.compare")
        for labels in (["emulated"], ["simulator"], [])
    )

    assert emulated[0].title == "One and two"
    assert "they say nothing about scaling" in emulated[0].note
    assert simulated[0].note == emulated[0].note
    assert real[0].note == ""
    assert len(real[0].rows) == 2
