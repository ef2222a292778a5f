"""The benchmarks run, and say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import main

ROOT = Path(__file__).parents[1]


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_case_that_does_not_exist() -> None:
    done = benchmark("vallidation")
    assert done.returncode == 2
    assert "no such case: vallidation; one of training, " in done.stderr


TINY = ("--layers", "1", "--heads", "1", "--width", "32", "--block", "32", "--turns", "2")


@pytest.mark.slow
@pytest.mark.torch
def test_training_is_measured_next_to_its_peers_and_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    main(["training", *TINY, "--steps", "1", "--without", "compile", "--without", "Trainer", "--json"])
    about = json.loads(capsys.readouterr().out)
    [result] = about["results"]
    assert about["machine"]["torch"]
    assert about["machine"]["bfloat16 instructions"]
    assert result["what"] == "a step of 4 x 32 tokens, 19,936 parameters"
    ours, floor = "emulated ttml", "its matrix products alone"
    assert list(result["times"]) == ["nanoGPT, float32", "nanoGPT, bfloat16 autocast", ours, floor]
    assert {len(times) for times in result["times"].values()} == {2}
    assert result["notes"][-1].startswith(f"{ours}: ")
    assert result["notes"][-1].endswith(" times the floor")


@pytest.mark.slow
@pytest.mark.torch
def test_generating_is_measured_inside_and_beyond_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    main(["generation", *TINY, "--tokens", "5", "--beyond", "2", "--without", "transformers"])
    where, *tables = capsys.readouterr().out.split("\n\n")
    assert "bfloat16 instructions: " in where
    titles = [table.splitlines()[0] for table in tables]
    assert titles == [
        "generation: 5 new tokens after 10, a token",
        "generation: the first token after 10",
        "generation: 2 new tokens beyond the block of 32, a token",
    ]
    for table in tables:
        _, columns, *lines = table.splitlines()
        assert [line.split("  ")[1] for line in lines] == ["nanoGPT", "emulated ttml"]
        assert lines[0].split()[3] == "1.00"
        assert ("tokens/s" in columns) == (table is not tables[1])


@pytest.mark.slow
def test_an_option_belongs_to_a_case() -> None:
    done = benchmark("--folder", "lessons")
    assert done.returncode == 2
    assert "unrecognized arguments: --folder" in done.stderr


@pytest.mark.torch
def test_the_operations_of_a_step_are_counted() -> None:
    pytest.importorskip("torch")
    from benchmarks.peers.nanogpt import Shape
    from benchmarks.training import flop, products
    from torch.utils.flop_counter import FlopCounterMode

    shape = Shape(vocabulary=65, block=64, layers=2, heads=2, width=64, batch=3)
    weights, attention = flop(shape)
    with FlopCounterMode(display=False) as counted:
        products(shape, wide=True)()
    assert weights == counted.get_total_flops()
    # Query by key and weights by value, once forwards and twice backwards, for the scores that count.
    assert attention == 6 * 2 * 2 * 3 * (64 * 65 / 2) * 64


@pytest.mark.slow
def test_validation() -> None:
    done = benchmark("validation", "--turns", "3", "--json")
    [result] = json.loads(done.stdout)["results"]
    assert result["what"] == "50 lessons, 1.12 MB"
    # A ratio of medians taken in turns, with room for a busy machine; docs/measurements.md has the figures.
    median = {name: sorted(times)[1] for name, times in result["times"].items()}
    assert median["lesson validate"] < 8 * median["markdown-it-py alone"]


def numerics(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.numerics", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
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


@pytest.mark.slow
def test_certificates() -> None:
    size = ["--lessons", "1", "--boards", "2", "--each", "2", "--turns", "1"]
    command = [sys.executable, "-m", "benchmarks.certificates", *size]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head == "1 lessons x 2 boards x 2 certificates = 4"
    assert [line.split("  ")[1] for line in lines] == ["signatures alone", "lesson matrix"]
