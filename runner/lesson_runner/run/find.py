"""Find the folder of a run: by its name, by a path, or the latest one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import did_you_mean
from lesson_runner.run.events import EVENTS
from lesson_runner.run.record import RECORD

LATEST = "latest"


def run_folders(runs: Path) -> list[Path]:
    """Return the run folders of a workspace, oldest first; unfinished runs too, half-removed ones not."""
    try:
        found = [path for path in runs.iterdir() if path.name[0] != "." and _is_folder(path) and is_run(path)]
    except OSError:
        return []
    return sorted(found, key=lambda path: path.name)


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder and not a link, which may lead out of the workspace."""
    return path.is_dir() and not path.is_symlink()


def is_run(folder: Path) -> bool:
    """Return whether a folder holds the events or the record of a run."""
    return (folder / EVENTS).is_file() or (folder / RECORD).is_file()


def find_run(name: str, runs: Path) -> Path:
    """
    Return a run folder.

    Args:
        name: a run's name or the start of it, ``latest``, a run folder, or its ``record.json``.
        runs: the folder with the runs of the workspace.

    Raises:
        LessonError: no run matches, or several do.
    """
    known = {path.name: path for path in run_folders(runs)}
    if name in known:
        return known[name]
    if name == LATEST:
        if not known:
            raise LessonError(
                f"there are no runs in {runs}", fix="run a lesson first, or pass its --workspace"
            )
        return list(known.values())[-1]
    path = Path(name)
    with contextlib.suppress(OSError):  # too long for a path, or not readable by this user
        if path.name == RECORD and path.is_file():
            return path.resolve().parent
        if path.is_dir() and is_run(path):
            return path.resolve()
    beginning = [folder for known_name, folder in known.items() if known_name.startswith(name)]
    if len(beginning) == 1 and name:
        return beginning[0]
    if len(beginning) > 1 and name:
        names = ", ".join(folder.name for folder in beginning[:5])
        raise LessonError(f"{name!r} matches {len(beginning)} runs: {names}", fix="type more of the name")
    raise LessonError(
        f"there is no run {name!r} in {runs}",
        fix=did_you_mean(name, known)
        or "pass a run name, its folder, or 'latest'; 'lesson runs' lists the runs",
    )
