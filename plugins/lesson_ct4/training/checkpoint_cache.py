"""
The folder of checkpoints that later stages and runs reuse. It may be deleted at any time.

::

    <folder>/<key>/
        identity.json                          the settings, of which the key is a digest
        step_<n>.safetensors                   after n steps that do not depend on the run's length
        result_<n>.safetensors                 the result of a complete run of n steps
        snapshot_<n>.safetensors               of an unfinished run, after n steps
        snapshot_<n>_of_<steps>.safetensors    the same, where the steps depend on the run's length

The last two snapshots are kept, in case the last one is damaged.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lesson_ct4.config import TrainConfig
from lesson_ct4.device.origin import origin
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint, replacing, save_checkpoint
from lesson_ct4.training.schedule import cache_key, shared_steps, training_identity
from lesson_runner.execute.family import start_time
from lesson_runner.files.plain import TEMPORARY_SUFFIX, write_atomically
from lesson_runner.files.untrusted import read_json, remove_temporary_files
from lesson_runner.model.errors import LessonError

Note = Callable[[str], None]
KEPT = 4
"""How many folders, one for each configuration, are kept; a checkpoint of the lesson's model has 65 MB."""
SNAPSHOTS_KEPT = 2
"""How many snapshots of an unfinished run are kept."""
IDENTITY = "identity.json"


class CachedCheckpoint(NamedTuple):
    """A checkpoint found in the cache."""

    path: Path
    written: int
    """Modification time in nanoseconds, as :func:`written_at` returned it."""
    checkpoint: Checkpoint


class CheckpointCache:
    """
    The cached checkpoints of all runs that differ from one run only in length.

    Raises:
        LessonError: the folder is a symbolic link. A workspace may come with a lesson, so links are refused.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, dataset_sha256: str, session: Mapping[str, Any]
    ) -> None:
        self._identity = {**training_identity(config, dataset_sha256, session), **origin()}
        self._all = folder
        self._folder = folder / cache_key(self._identity)
        if self._folder.is_symlink():
            raise LessonError(f"{self._folder} is a symbolic link, which is not allowed", fix="remove it")

    def save(self, checkpoint: Checkpoint) -> None:
        """Save a checkpoint that other runs can start from."""
        save_checkpoint(self._folder / f"step_{checkpoint.step}.safetensors", checkpoint)
        self._used()

    def save_snapshot(self, checkpoint: Checkpoint, shared: int) -> None:
        """Save a checkpoint for resuming; the first ``shared`` steps do not depend on the run's length."""
        step = checkpoint.step
        name = f"snapshot_{step}" if step <= shared else f"snapshot_{step}_of_{checkpoint.steps}"
        save_checkpoint(self._folder / f"{name}.safetensors", checkpoint)
        self._used()
        for path in sorted(self._folder.glob("snapshot_*"), key=written_at)[:-SNAPSHOTS_KEPT]:
            path.unlink(missing_ok=True)

    def remove_snapshots(self) -> None:
        """Remove the snapshots of a run that has finished, and what killed processes left partly written."""
        remove_temporary_files(self._folder, unless=_is_written)
        for path in self._folder.glob("snapshot_*"):
            path.unlink(missing_ok=True)

    def save_result(self, path: Path, steps: int) -> None:
        """Save the checkpoint of a complete run of ``steps``, as a hard link if the file system has them."""
        result = self._result(steps)
        with replacing(result) as temporary:
            try:
                os.link(path, temporary)
            except OSError:  # a file system without links
                shutil.copyfile(path, temporary)
        self._used()

    def find(self, steps: int, shared: int, note: Note) -> CachedCheckpoint | None:
        """
        Return the checkpoint that saves a run of ``steps`` the most steps; ``None`` if there is none.

        Args:
            shared: how many of the steps do not depend on the run's length.
            note: called with a message for each damaged file, which is skipped.
        """
        files = [(steps, self._result(steps))] if self._result(steps).exists() else []
        files += sorted(self._states(steps, shared), reverse=True)
        for step, path in files:
            if path.is_symlink():
                note(f"not reused: {path} is a symbolic link")
                continue
            written = written_at(path)
            try:
                checkpoint = load_checkpoint(path)
                if checkpoint.step == step and (checkpoint.optimizer is not None or step == steps):
                    self._used()
                    return CachedCheckpoint(path, written, checkpoint)
            except LessonError as error:
                note(f"not reused: {error}")
        return None

    def _states(self, steps: int, shared: int) -> Iterator[tuple[int, Path]]:
        """Yield step and path of each checkpoint that a run of ``steps`` can start from."""
        for path in self._folder.glob("*_*.safetensors"):
            match = re.fullmatch(r"(?:step|snapshot)_(\d+)(?:_of_(\d+))?", path.stem)
            if match and (int(match[2]) == steps if match[2] else int(match[1]) <= shared):
                yield int(match[1]), path

    def nearest_difference(self) -> str | None:
        """Return how this run differs from the most similar cached one; ``None`` if the cache is empty."""
        nearest: list[str] | None = None
        for path in sorted(self._all.glob(f"*/{IDENTITY}")):
            if path.parent == self._folder:
                continue
            try:
                other = read_json(self._all, f"{path.parent.name}/{IDENTITY}")
                found = _differences(other, self._identity)
            except (OSError, ValueError, AttributeError, RecursionError):
                continue
            if nearest is None or len(found) < len(nearest):
                nearest = found
        return f"no steps of an earlier stage or run can be reused: {_listed(nearest)}" if nearest else None

    def _result(self, steps: int) -> Path:
        return self._folder / f"result_{steps}.safetensors"

    def _used(self) -> None:
        """Mark this folder as used, and remove the least recently used ones."""
        about = self._folder / IDENTITY
        with contextlib.suppress(OSError):
            write_atomically(about, json.dumps(self._identity, indent=1, sort_keys=True))
        used = {path.parent: written_at(path) for path in self._all.glob(f"*/{IDENTITY}")}
        for folder in sorted(used, key=lambda folder: used[folder], reverse=True)[KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)


def _is_written(name: str) -> bool:
    """Return whether the process that a temporary file is named after is running: a run next to this one."""
    match = re.search(r"\.(\d+)$", name.removesuffix(TEMPORARY_SUFFIX))
    return match is not None and int(match[1]) != os.getpid() and start_time(int(match[1])) != ""


def written_at(path: Path) -> int:
    """Return a file's modification time in nanoseconds; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another run removed it
        return 0


def check_resumable(
    checkpoint: Checkpoint, config: TrainConfig, steps: int, identity: Mapping[str, Any]
) -> None:
    """
    Check that resuming from a checkpoint gives the same result as training without interruption.

    Raises:
        LessonError: the result would differ; the message says why.
    """
    if checkpoint.optimizer is None:
        raise LessonError("cannot resume: the checkpoint has no optimizer state", fix="train from scratch")
    theirs = training_identity(checkpoint.config, str(checkpoint.dataset.get("sha256")), checkpoint.session)
    if theirs != identity:
        raise LessonError(
            f"cannot resume: {differences(theirs, identity)}",
            fix="resume with the settings it was trained with",
        )
    if checkpoint.step > shared_steps(checkpoint.config, checkpoint.steps):
        raise LessonError(
            f"cannot resume: at step {checkpoint.step} of {checkpoint.steps} the learning rate has already "
            "decayed",
            fix="train from scratch; final checkpoints can be resumed if trained with --decay none",
        )
    if checkpoint.step > shared_steps(config, steps):
        raise LessonError(
            f"cannot resume: the checkpoint has {checkpoint.step} steps, but in a run of {steps} steps the "
            f"learning rate decays after step {shared_steps(config, steps)}",
            fix="train for more steps",
        )


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Return the differences in words."""
    return _listed(_differences(theirs, ours))


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
