"""Taking what is compared from checkpoints: they keep every step's loss and duration, and what made them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_runner.model.errors import LessonError

FREE = frozenset({"batch_size", "recipe"})
"""Settings in which runs that are compared may differ."""
FREE_SESSION = frozenset({"mesh"})


def collect(paths: Sequence[Path]) -> dict[str, Any]:
    """
    Return a comparison, fit for JSON and for :func:`lesson_ct5.scaling.runs_from`.

    ``runs``: as :class:`lesson_ct5.scaling.Run` has them, with the checkpoint's ``sha256``. ``session`` and
    ``dataset``: what all of them ran on and read.

    Raises:
        LessonError: a checkpoint is missing or damaged, or they cannot be compared.
    """
    loaded = [(path, load_checkpoint(path)) for path in paths]
    first_path, first = loaded[0]
    for path, checkpoint in loaded:
        if checkpoint.imported:
            raise LessonError(
                f"{path.stem} cannot be compared: tt-train trained it, and its file has no losses or times",
                fix="train it here, with lesson ct4 train",
            )
    for path, checkpoint in loaded[1:]:
        if difference := _difference(first, checkpoint):
            raise LessonError(
                f"{first_path.stem} and {path.stem} cannot be compared: {difference}",
                fix="train both with the same settings, apart from --mesh and --batch_size",
            )
    runs = [_run(path, checkpoint) for path, checkpoint in loaded]
    chips = [run["chips"] for run in runs]
    if len(set(chips)) < len(chips):
        raise LessonError(
            f"two of them ran on the same number of chips ({', '.join(map(str, sorted(chips)))})",
            fix="name one checkpoint for each number of chips",
        )
    batches = {run["batch_size"] for run in runs}
    shares = {run["batch_size"] / run["chips"] for run in runs}
    if len(batches) > 1 and len(shares) > 1:
        raise LessonError(
            "their batches are neither the same nor the same on each chip: "
            + ", ".join(f"{run['batch_size']} over {run['chips']}" for run in runs),
            fix="keep --batch_size, or keep it in proportion to the chips",
        )
    lengths = {run["checkpoint"]: len(run["losses"]) for run in runs}
    if len(set(lengths.values())) > 1:
        raise LessonError(
            "they trained for different numbers of steps: "
            + ", ".join(f"{name} {steps}" for name, steps in lengths.items()),
            fix="say how long with --max_steps: an epoch has fewer steps where batches are larger",
        )
    return {"runs": runs, "session": first.session, "dataset": first.dataset}


def _run(path: Path, checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "checkpoint": path.stem,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "chips": int(checkpoint.session["mesh"][1]),
        "batch_size": checkpoint.config.batch_size,
        "sequence_length": checkpoint.config.sequence_length,
        "losses": checkpoint.losses.tolist(),
        "seconds": checkpoint.seconds.tolist(),
    }


def _difference(one: Checkpoint, other: Checkpoint) -> str | None:
    """Return the first setting in which two runs differ and should not; ``None`` if there is none."""
    pairs: list[tuple[str, Mapping[str, Any], Mapping[str, Any], frozenset[str]]] = [
        ("--", one.config.to_json(), other.config.to_json(), FREE),
        ("the data set's ", one.dataset, other.dataset, frozenset({"name"})),
        ("the session's ", one.session, other.session, FREE_SESSION),
    ]
    for what, ours, theirs, free in pairs:
        for name in sorted((ours.keys() | theirs.keys()) - free):
            if ours.get(name) != theirs.get(name):
                return f"{what}{name} is {ours.get(name)} and {theirs.get(name)}"
    return None
