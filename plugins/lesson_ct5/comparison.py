"""Read a comparison from checkpoints, which hold each step's loss and duration, and the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_runner.model.errors import LessonError

MAY_DIFFER = frozenset({"batch_size", "recipe"})
"""Settings in which the compared trainings may differ."""
SESSION_MAY_DIFFER = frozenset({"mesh"})


def collect(checkpoints: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """
    Return a comparison as JSON data for :func:`lesson_ct5.scaling.runs_from`.

    ``runs`` has the fields of :class:`lesson_ct5.scaling.Run` and the checkpoint's ``sha256``; ``session``
    and ``dataset`` are common to all runs.

    Args:
        checkpoints: the name and the file of each.

    Raises:
        LessonError: a checkpoint is missing or damaged, or the trainings cannot be compared.
    """
    loaded = [(name, path, load_checkpoint(path)) for name, path in checkpoints]
    first_name, _, first = loaded[0]
    for name, _, checkpoint in loaded:
        if checkpoint.imported:
            raise LessonError(
                f"{name} cannot be compared: it was imported from tt-train, without losses and times",
                fix="train it here, with lesson ct4 train",
            )
    for name, _, checkpoint in loaded[1:]:
        if difference := _difference(first, checkpoint):
            raise LessonError(
                f"{first_name} and {name} cannot be compared: {difference}",
                fix="train both with the same settings, except for --mesh and --batch_size",
            )
    runs = [_run(name, path, checkpoint) for name, path, checkpoint in loaded]
    chips = [run["chips"] for run in runs]
    if len(set(chips)) < len(chips):
        raise LessonError(
            "two checkpoints were trained on the same number of chips "
            f"({', '.join(map(str, sorted(chips)))})",
            fix="name one checkpoint for each number of chips",
        )
    batches = {run["batch_size"] for run in runs}
    shares = {run["batch_size"] / run["chips"] for run in runs}
    if len(batches) > 1 and len(shares) > 1:
        raise LessonError(
            "the checkpoints have neither the same batch size nor the same batch size per chip: "
            + ", ".join(f"{run['batch_size']} on {run['chips']}" for run in runs),
            fix="use the same --batch_size for all, or scale it with the number of chips",
        )
    lengths = {run["checkpoint"]: len(run["losses"]) for run in runs}
    if len(set(lengths.values())) > 1:
        raise LessonError(
            "the checkpoints were trained for different numbers of steps: "
            + ", ".join(f"{name} {steps}" for name, steps in lengths.items()),
            fix="set the length with --max_steps: with larger batches, an epoch has fewer steps",
        )
    return {"runs": runs, "session": first.session, "dataset": first.dataset}


def _run(name: str, path: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "checkpoint": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "chips": int(checkpoint.session["mesh"][1]),
        "batch_size": checkpoint.config.batch_size,
        "sequence_length": checkpoint.config.sequence_length,
        "losses": checkpoint.losses.tolist(),
        "seconds": checkpoint.seconds.tolist(),
    }


def _difference(one: Checkpoint, other: Checkpoint) -> str | None:
    """Return the first setting in which two trainings differ but must not; ``None`` if there is none."""
    pairs: list[tuple[str, Mapping[str, Any], Mapping[str, Any], frozenset[str]]] = [
        ("--", one.config.to_json(), other.config.to_json(), MAY_DIFFER),
        ("the data set's ", one.dataset, other.dataset, frozenset({"name"})),
        ("the session's ", one.session, other.session, SESSION_MAY_DIFFER),
    ]
    for what, ours, theirs, may_differ in pairs:
        for name in sorted((ours.keys() | theirs.keys()) - may_differ):
            if ours.get(name) != theirs.get(name):
                return f"{what}{name} is {ours.get(name)} and {theirs.get(name)}"
    return None
