"""Evidence of a training run: all steps in ``loss.csv``, and a summary in ``training.json``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.schedule import learning_rate
from lesson_runner.files.plain import write_aside


def write_losses(path: Path, run: TrainingRun) -> None:
    """Write step, loss, learning_rate and seconds of every step so far, reused steps included."""
    rows = io.StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(["step", "loss", "learning_rate", "seconds"])
    for index in range(run.step):
        rate = learning_rate(run.config, index + 1, run.steps)
        writer.writerow([index + 1, float(run.losses[index]), rate, round(float(run.seconds[index]), 6)])
    write_aside(path, rows.getvalue())


def write_summary(path: Path, run: TrainingRun, results: dict[str, Any]) -> None:
    """Write ``results`` with the configuration, data set, session and vocabulary that produced them."""
    dataset, tokenizer = run.dataset, run.dataset.tokenizer
    summary = {
        **results,
        "config": run.config.to_json(),
        "dataset": {
            "name": dataset.name,
            "sha256": dataset.sha256,
            "bytes": dataset.size,
            "training_characters": len(dataset.train),
            "validation_characters": len(dataset.validation),
        },
        "session": run.session.info,
        "vocabulary": {
            "characters": len(tokenizer.characters),
            "size": tokenizer.vocab_size,
            "padded_size": tokenizer.padded_vocab_size,
        },
    }
    write_aside(path, json.dumps(summary, indent=2) + "\n")
