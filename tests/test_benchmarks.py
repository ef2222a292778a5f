"""The benchmarks run, and say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_case_that_is_none() -> None:
    done = benchmark("vallidation")
    assert done.returncode == 2
    assert "no such case: vallidation; one of validation" in done.stderr


@pytest.mark.slow
def test_validation() -> None:
    done = benchmark("validation", "--turns", "3", "--json")
    [result] = json.loads(done.stdout)["results"]
    assert result["what"] == "50 lessons, 1.12 MB"
    # A ratio of medians taken in turns, with room for a busy machine; docs/measurements.md has the figures.
    median = {name: sorted(times)[1] for name, times in result["times"].items()}
    assert median["lesson validate"] < 3 * median["markdown-it-py alone"]
