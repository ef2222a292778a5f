"""
The folder where stages leave what they trained, for later stages and later runs.

``<folder>/<key>/step_<n>.safetensors`` is the state after ``n`` steps that do not depend on a run's length,
and ``result_<n>.safetensors`` the end of a whole run of ``n`` steps; the key stands for everything else they
depend on, which ``identity.json`` beside them spells out. States on the way, for a run that is cut short, are
``way_<n>.safetensors`` and, where steps depend on the run's length, ``way_<n>_of_<steps>.safetensors``; of
these the last two are kept, in case that the last is damaged. The folder may be deleted at any time.
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
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lesson_ct4.training.schedule import key_of, trunk_identity, trunk_steps
from lesson_runner.files.plain import TEMPORARY_SUFFIX, write_atomically
from lesson_runner.files.untrusted import read_json, remove_temporary_files
from lesson_runner.model.errors import LessonError

Note = Callable[[str], None]
KEPT = 4
"""Of so many different settings the states are kept, those used last; one of the lesson's model is 65 MB."""
ON_THE_WAY = 2
"""So many states of an unfinished training are kept; see above."""
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

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep a state that other runs will begin with."""
        save_checkpoint(self._folder / f"step_{checkpoint.step}.safetensors", checkpoint)
        self._used()

    def save_on_the_way(self, checkpoint: Checkpoint, shared: int) -> None:
        """Keep a state in case the run is cut short; ``shared`` steps do not depend on its length."""
        step = checkpoint.step
        name = f"way_{step}" if step <= shared else f"way_{step}_of_{checkpoint.steps}"
        save_checkpoint(self._folder / f"{name}.safetensors", checkpoint)
        self._used()
        for path in sorted(self._folder.glob("way_*"), key=written_at)[:-ON_THE_WAY]:
            path.unlink(missing_ok=True)

    def forget_the_way(self) -> None:
        """Remove the states on the way, and what was left half-written: the run has come to its end."""
        remove_temporary_files(self._folder)
        for path in self._folder.glob("way_*"):
            path.unlink(missing_ok=True)

    def keep_result(self, path: Path, steps: int) -> None:
        """Keep the checkpoint of a whole run of ``steps``: the same file by another name, where that goes."""
        result = self._result(steps)
        aside = result.with_name(f".{result.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
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
        Return what saves a run of ``steps`` most: its own end, or the state after the most of its steps.

        Args:
            shared: how many of the steps do not depend on the run's length.
            note: gets a sentence for each file that is damaged; it is passed over.
        """
        files = [(steps, self._result(steps))] if self._result(steps).exists() else []
        files += sorted(self._states(steps, shared), reverse=True)
        for step, path in files:
            if path.is_symlink():
                note(f"not reused: {path} is a link, which may lead anywhere")
                continue
            written = written_at(path)
            try:
                checkpoint = load_checkpoint(path)
                if checkpoint.step == step and (checkpoint.optimizer is not None or step == steps):
                    self._used()
                    return Found(path, written, checkpoint)
            except LessonError as error:
                note(f"not reused: {error}")
        return None

    def _states(self, steps: int, shared: int) -> Iterator[tuple[int, Path]]:
        """Yield the states that a run of ``steps`` comes through, and their steps."""
        for path in self._folder.glob("*_*.safetensors"):
            match = re.fullmatch(r"(?:step|way)_(\d+)(?:_of_(\d+))?", path.stem)
            if match and (int(match[2]) == steps if match[2] else int(match[1]) <= shared):
                yield int(match[1]), path

    def why_not_shared(self) -> str | None:
        """Return what sets this run apart from the nearest one that left steps here; ``None`` if none did."""
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
        return f"no steps of an earlier stage or run are reused: {_listed(nearest)}" if nearest else None

    def _result(self, steps: int) -> Path:
        return self._folder / f"result_{steps}.safetensors"

    def _used(self) -> None:
        """Note that this folder was used, and remove those that were not for longest."""
        about = self._folder / IDENTITY
        with contextlib.suppress(OSError):
            write_atomically(about, json.dumps(self._identity, indent=1, sort_keys=True))
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
    if theirs != identity:
        raise LessonError(
            f"cannot resume: {differences(theirs, identity)}",
            fix="resume with the settings it was trained with",
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


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Return in words what was otherwise."""
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
