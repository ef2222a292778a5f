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
    assert "no such case: vallidation; one of training, " in done.stderr


@pytest.mark.slow
def test_validation() -> None:
    done = benchmark("validation", "--turns", "3", "--json")
    [result] = json.loads(done.stdout)["results"]
    assert result["what"] == "50 lessons, 1.12 MB"
    # A ratio of medians taken in turns, with room for a busy machine; docs/measurements.md has the figures.
    median = {name: sorted(times)[1] for name, times in result["times"].items()}
    assert median["lesson validate"] < 3 * median["markdown-it-py alone"]


def numerics(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.numerics", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.torch
def test_a_loss_curve_is_compared_with_the_boards_where_both_are_known(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    rows = "".join(f"{step},{2 if step > 480 else 3},1\n" for step in range(1, 601))
    (tmp_path / "numerics.csv").write_text(f"step,loss,seconds\n{rows}")

    done = numerics("--folder", str(tmp_path))

    head, columns, *lines = done.stdout.splitlines()
    assert head == "600 of 3000 steps"
    assert columns.split() == ["step", "board", "emulated", "difference"]
    assert [line.split()[0] for line in lines] == ["1", "50", "500"]
    assert lines[1].split()[1:] == ["3.050", "3.000", "-1.6%"]
    # 475 to 525, of which six are 3 and the others 2
    assert lines[2].split()[2] == f"{(6 * 3 + 45 * 2) / 51:.3f}"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("arguments", "words"), [(["--data", "none.txt"], "no such file"), ([], "give --data")]
)
def test_numerics_without_what_it_needs(tmp_path: Path, arguments: list[str], words: str) -> None:
    pytest.importorskip("torch")
    done = numerics("--folder", str(tmp_path), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
