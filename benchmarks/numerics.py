"""
Does the emulation learn as a board does? Compare its loss curve with a board's, at the board's settings.

::

    python -m benchmarks.numerics --data shakespeare.txt --minutes 60

The board's curve is the one published for a p300c with tt-metal v0.73: 10,819,584 parameters, batch 64, block
256, AdamW at a constant 3e-4, dropout 0.2, all of the text. A step is minutes of work for a processor, so the
state is kept next to the curve, and the same command continues from there.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import machine
from lesson_ct4.config import TrainConfig
from lesson_ct4.data.dataset import load_dataset
from lesson_ct4.device.session import open_session
from lesson_ct4.measuring.published import BOARD_CURVE
from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_ct4.training.run import TrainingRun
from lesson_runner.files.plain import write_atomically

BOARD: Mapping[int, float] = dict(sorted({**dict(BOARD_CURVE), 50: 3.05}.items()))
"""Step: training loss of that one step on the board; step 50 is from the lesson on several chips (ct5)."""
STEPS = 3000
AROUND = 25
"""A single step's loss varies by 0.06; ours is the mean over this many steps before and after."""
KEEP_EVERY = 25
FOLDER = Path(__file__).parent / "results"
SETTINGS = TrainConfig(
    max_steps=STEPS,
    batch_size=64,
    learning_rate=3e-4,
    dropout=0.2,
    validation_fraction=0.0,
    recipe="published",
)


def train(data: Path, folder: Path, seconds: float) -> Path:
    """Train until the time is over or the curve is complete; return the curve's file."""
    curve, state = folder / "numerics.csv", folder / "numerics-state.safetensors"
    dataset = load_dataset(data, validation_fraction=0.0, sequence_length=SETTINGS.sequence_length)
    end = time.monotonic() + seconds
    with open_session("emulated") as session:
        run = TrainingRun(SETTINGS, dataset, session, STEPS)
        if state.exists():
            run.restore(load_checkpoint(state))
        while run.step < STEPS and time.monotonic() < end:
            loss, _, spent = run.advance()
            sys.stderr.write(f"\rstep {run.step}: {loss:.3f}, {spent:.1f} s ")
            if run.step % KEEP_EVERY == 0 or run.step == STEPS:
                save_checkpoint(state, run.checkpoint())
                _write(curve, run, {**session.info, "processor": machine.processor(), "data": dataset.sha256})
    return curve


def compare(losses: Sequence[float]) -> list[tuple[int, float, float]]:
    """Return the step, the board's loss and ours if both are known; ``losses`` begin with step 1."""
    rows = []
    for step, board in BOARD.items():
        around = min(AROUND, step - 1)  # at the beginning the curve is steep: average fewer steps
        around = min(around, 5) if step < 500 else around
        if step + around <= len(losses):
            rows.append((step, board, statistics.fmean(losses[step - 1 - around : step + around])))
    return rows


def read(curve: Path) -> list[float]:
    """Return the losses of a curve's file."""
    with curve.open(newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def _write(curve: Path, run: TrainingRun, how: Mapping[str, object]) -> None:
    rows = zip(range(1, run.step + 1), run.losses.tolist(), run.seconds.tolist(), strict=False)
    lines = ["step,loss,seconds", *(f"{step},{loss:.6g},{spent:.3f}" for step, loss, spent in rows)]
    curve.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(curve, "\n".join(lines) + "\n")
    about = {"settings": run.config.to_json(), "how": dict(how)}
    write_atomically(curve.with_suffix(".json"), json.dumps(about, indent=2) + "\n")


def main() -> None:
    """Read the arguments, train, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numerics", description=__doc__)
    parser.add_argument("--data", type=Path, help="tiny Shakespeare; without it, only print what is known")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the curve and its state are kept")
    arguments = parser.parse_args()
    if arguments.data is not None and not arguments.data.is_file():
        parser.error(f"--data {arguments.data}: there is no such file")
    curve = arguments.folder / "numerics.csv"
    if arguments.data is not None:
        train(arguments.data, arguments.folder, arguments.minutes * 60)
    if not curve.is_file():
        parser.error(f"there is no {curve} yet: give --data")
    losses = read(curve)
    sys.stdout.write(f"{len(losses)} of {STEPS} steps\n step   board  emulated  difference\n")
    for step, board, ours in compare(losses):
        sys.stdout.write(f"{step:5}  {board:6.3f}  {ours:8.3f}  {ours / board - 1:+10.1%}\n")


if __name__ == "__main__":
    main()
