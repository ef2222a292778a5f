"""A few runs that are killed with SIGKILL; ``python -m tools.kills`` kills as many as one likes."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from tests.reliability import fault
from tools.kills.harness import alone, killed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.torch,
    pytest.mark.skipif(sys.platform != "linux", reason="it takes for granted what fsync does there"),
]
KILLS = 5


@fault(
    "interruption",
    "SIGKILL or a power cut at any moment of any step",
    how="real runs of text, shell, two trainings and their generated texts are killed at "
    "random moments, some more than once, and events that were not yet synced are cut off",
    seen="`lesson runs` says unfinished; `lesson resume` continues and exits with 0",
    survives="every step that passed; a training continues from its last saved state; weights, "
    "optimizer, losses and texts equal those of an uninterrupted run, bit for bit",
)
def test_a_run_that_is_killed_comes_out_as_if_left_alone(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}: python -m tools.kills --kills {KILLS} --seed {seed}")
    draw = random.Random(seed)
    expected, seconds = alone(tmp_path / "alone")
    trials = [
        killed(tmp_path / str(number), number, expected, seconds, draw) for number in range(1, KILLS + 1)
    ]
    assert [trial for trial in trials if trial.wrong] == []
    assert any(trial.kills for trial in trials)
