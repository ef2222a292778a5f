"""
The folder where stages leave what they trained, for later stages and later runs.

``<folder>/<key>/step_<n>.safetensors`` is the state after ``n`` steps that do not depend on a run's length,
and ``result_<n>.safetensors`` the end of a whole run of ``n`` steps; the key stands for everything else they
depend on, which ``identity.json`` beside them spells out. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lesson_ct4.config import TrainConfig
from lesson_ct4.device.origin import origin
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lesson_ct4.training.schedule import key_of, trunk_identity, trunk_steps
from lesson_runner.errors import LessonError

Note = Callable[[str], None]
KEPT = 4
"""Of so many different settings the states are kept, those used last; one of the lesson's model is 65 MB."""
IDENTITY = "identity.json"


class Found(NamedTuple):
    """A state that saves steps."""

    path: Path
    written: int
    """As :func:`written_at` had it."""
    checkpoint: Checkpoint


class Trunk:
    """
    The shared steps of all runs that differ from one in length only, and where those ended.

    Raises:
        LessonError: its folder is a link; what lies in a workspace may have come with a lesson.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, dataset_sha256: str, session: Mapping[str, Any]
    ) -> None:
        self._identity = {**trunk_identity(config, dataset_sha256, session), **origin()}
        self._all = folder
        self._folder = folder / key_of(self._identity)
        if self._folder.is_symlink():
            raise LessonError(f"{self._folder} is a link, which may lead anywhere", fix="remove it")

    def save(self, checkpoint: Checkpoint) -> Path:
        """Keep a state; return its file."""
        path = self._folder / f"step_{checkpoint.step}.safetensors"
        save_checkpoint(path, checkpoint)
        self._used()
        return path

    def keep_result(self, path: Path, steps: int) -> None:
        """Keep the checkpoint of a whole run of ``steps``: the same file by another name, where that goes."""
        result = self._result(steps)
        aside = result.with_name(f".{result.name}.{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            try:
                os.link(path, aside)
            except OSError:  # a file system without links
                shutil.copyfile(path, aside)
            aside.replace(result)
        except OSError as error:
            raise LessonError(
                f"{result} cannot be written: {error.strerror}", fix="check the disk's space and rights"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
        self._used()

    def find(self, steps: int, shared: int, note: Note) -> Found | None:
        """
        Return what saves a run of ``steps`` most: its own end, or the state after the most shared steps.

        Args:
            shared: how many of the steps do not depend on the run's length.
            note: gets a sentence for each file that is damaged; it is passed over.
        """
        states = {}
        for path in self._folder.glob("step_*.safetensors"):
            if match := re.fullmatch(r"step_(\d+)", path.stem):
                states[int(match[1])] = path
        files = [(step, states[step]) for step in sorted(states, reverse=True) if step <= shared]
        if self._result(steps).exists():
            files.insert(0, (steps, self._result(steps)))
        for step, path in files:
            written = written_at(path)
            try:
                checkpoint = load_checkpoint(path)
                if checkpoint.step == step and (checkpoint.optimizer is not None or step == steps):
                    self._used()
                    return Found(path, written, checkpoint)
            except LessonError as error:
                note(f"not reused: {error}")
        return None

    def why_not_shared(self) -> str | None:
        """Return what sets this run apart from the nearest one that left steps here; ``None`` if none did."""
        nearest: list[str] | None = None
        for path in sorted(self._all.glob(f"*/{IDENTITY}")):
            if path.parent == self._folder:
                continue
            try:
                other = json.loads(path.read_text())
                differences = _differences(other, self._identity)
            except (OSError, ValueError, AttributeError):
                continue
            if nearest is None or len(differences) < len(nearest):
                nearest = differences
        return f"no steps of an earlier stage or run are reused: {_listed(nearest)}" if nearest else None

    def _result(self, steps: int) -> Path:
        return self._folder / f"result_{steps}.safetensors"

    def _used(self) -> None:
        """Note that this folder was used, and remove those that were not for longest."""
        about = self._folder / IDENTITY
        with contextlib.suppress(OSError):
            about.write_text(json.dumps(self._identity, indent=1, sort_keys=True))
        used = {path.parent: written_at(path) for path in self._all.glob(f"*/{IDENTITY}")}
        for folder in sorted(used, key=lambda folder: used[folder], reverse=True)[KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)


def written_at(path: Path) -> int:
    """Return when a file was written, in nanoseconds; 0 for one that is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another run has removed it
        return 0


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
