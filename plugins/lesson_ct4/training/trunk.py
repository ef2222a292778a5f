"""
The folder where stages leave the steps they share.

``<folder>/<key>/step_<n>.safetensors`` is the state after ``n`` steps that do not depend on a run's
length; the key stands for everything else they depend on, which ``identity.json`` beside them spells out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lesson_ct4.config import TrainConfig
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lesson_ct4.training.schedule import trunk_identity, trunk_key, trunk_steps
from lesson_runner.errors import LessonError

Note = Callable[[str], None]


class Trunk:
    """The shared steps of all runs that differ from one in length only."""

    def __init__(
        self, folder: Path, config: TrainConfig, dataset_sha256: str, session: Mapping[str, Any]
    ) -> None:
        self._identity = trunk_identity(config, dataset_sha256, session)
        self._all = folder
        self._folder = folder / trunk_key(config, dataset_sha256, session)

    def save(self, checkpoint: Checkpoint) -> Path:
        """Keep a state; return its file."""
        path = self._folder / f"step_{checkpoint.step}.safetensors"
        save_checkpoint(path, checkpoint)
        (self._folder / "identity.json").write_text(json.dumps(self._identity, indent=1, sort_keys=True))
        return path

    def longest(self, at_most: int, note: Note) -> Checkpoint | None:
        """Return the state after the most steps up to ``at_most``; damaged ones are passed over."""
        found = {}
        for path in self._folder.glob("step_*.safetensors"):
            if match := re.fullmatch(r"step_(\d+)", path.stem):
                found[int(match[1])] = path
        for step in sorted(found, reverse=True):
            if step <= at_most:
                try:
                    checkpoint = load_checkpoint(found[step])
                    if checkpoint.step == step and checkpoint.optimizer is not None:
                        return checkpoint
                except LessonError as error:
                    note(f"shared steps not used: {error}")
        return None

    def why_not_shared(self) -> str | None:
        """Return what sets this run apart from the nearest one that left steps here; ``None`` if none did."""
        nearest: list[str] | None = None
        for path in sorted(self._all.glob("*/identity.json")):
            if path.parent == self._folder:
                continue
            try:
                other = json.loads(path.read_text())
                differences = _differences(other, self._identity)
            except (OSError, ValueError, AttributeError):
                continue
            if nearest is None or len(differences) < len(nearest):
                nearest = differences
        return f"no steps shared with earlier stages: {_listed(nearest)}" if nearest else None


def check_resumable(
    checkpoint: Checkpoint, config: TrainConfig, steps: int, identity: Mapping[str, Any]
) -> None:
    """
    Check that going on from a checkpoint gives what training without a stop would have given.

    Raises:
        LessonError: it would not, and why.
    """
    if checkpoint.optimizer is None:
        raise LessonError("cannot resume: the checkpoint has no optimizer state", fix="train from the start")
    theirs = trunk_identity(checkpoint.config, str(checkpoint.dataset.get("sha256")), checkpoint.session)
    if differences := _differences(theirs, identity):
        raise LessonError(
            f"cannot resume: {_listed(differences)}", fix="resume with the settings it was trained with"
        )
    if checkpoint.step > trunk_steps(checkpoint.config, checkpoint.steps):
        raise LessonError(
            f"cannot resume: at step {checkpoint.step} of {checkpoint.steps} the learning rate had decayed",
            fix="train from the start; with --decay none, final checkpoints can be resumed",
        )
    if checkpoint.step > trunk_steps(config, steps):
        raise LessonError(
            f"cannot resume: the checkpoint has {checkpoint.step} steps, more than the "
            f"{trunk_steps(config, steps)} that a run of {steps} trains before its decay",
            fix="ask for more steps",
        )


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    names = sorted(theirs.keys() | ours.keys())
    return [
        f"{name} was {_short(theirs.get(name))}, is {_short(ours.get(name))}"
        for name in names
        if theirs.get(name) != ours.get(name)
    ]


def _listed(differences: list[str]) -> str:
    more = f"; and {len(differences) - 4} more" if len(differences) > 4 else ""
    return "; ".join(differences[:4]) + more


def _short(value: Any) -> str:
    return value[:12] if isinstance(value, str) and len(value) == 64 else str(value)
