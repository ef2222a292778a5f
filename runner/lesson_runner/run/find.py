"""Find the folder of a run: by its name in a workspace, by a path, or the last one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import did_you_mean
from lesson_runner.run.events import EVENTS
from lesson_runner.run.record import RECORD

LATEST = "latest"


def run_folders(runs: Path) -> list[Path]:
    """Return the folders of a workspace's runs, oldest first; finished or not, but not half removed."""
    try:
        found = [path for path in runs.iterdir() if path.name[0] != "." and _is_folder(path) and is_run(path)]
    except OSError:
        return []
    return sorted(found, key=lambda path: path.name)


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder: a link to one may lead out of the workspace."""
    return path.is_dir() and not path.is_symlink()


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run: its events, or its record."""
    return (folder / EVENTS).is_file() or (folder / RECORD).is_file()


def find_run(name: str, runs: Path) -> Path:
    """
    Return a run's folder.

    Args:
        name: a run's name or the beginning of one, ``latest``, a run's folder, or its record.
        runs: the folder of the workspace's runs.

    Raises:
        LessonError: there is none, or the beginning fits several.
    """
    known = {path.name: path for path in run_folders(runs)}
    if name in known:
        return known[name]
    if name == LATEST:
        if not known:
            raise LessonError(
                f"there are no runs in {runs}", fix="run a lesson first, or name its --workspace"
            )
        return list(known.values())[-1]
    path = Path(name)
    with contextlib.suppress(OSError):  # too long for a path, or where this user may not look
        if path.name == RECORD and path.is_file():
            return path.resolve().parent
        if path.is_dir() and is_run(path):
            return path.resolve()
    beginning = [folder for known_name, folder in known.items() if known_name.startswith(name)]
    if len(beginning) == 1 and name:
        return beginning[0]
    if len(beginning) > 1 and name:
        names = ", ".join(folder.name for folder in beginning[:5])
        raise LessonError(
            f"{name!r} is the beginning of {len(beginning)} runs: {names}", fix="give more of it"
        )
    raise LessonError(
        f"there is no run {name!r} in {runs}",
        fix=did_you_mean(name, known) or "'lesson runs' lists them; a run's folder, or latest, will do too",
    )
