"""Remove runs: which ones, what keeps them, and what removing them does to others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

from lesson_runner.files.untrusted import files_below, remove_tree
from lesson_runner.model.errors import LessonError
from lesson_runner.run import record
from lesson_runner.run.continued import home_of
from lesson_runner.run.find import find_run, run_folders
from lesson_runner.run.lock import lock_owner


class Removal:
    """
    Removes runs of one workspace.

    Args:
        runs: the folder with the runs.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self.notes: list[str] = []
        """What to tell the user before anything is removed."""

    @cached_property
    def _homes(self) -> dict[Path, Path]:
        """By run folder, oldest first: the run folder that holds its files."""
        return {run: home_of(run, _stored(run)) for run in run_folders(self._runs)}

    def named(self, names: Iterable[str]) -> list[Path]:
        """
        Return the folders of the runs that the user names.

        Raises:
            LessonError: one does not exist, is not in this workspace, or is in progress.
        """
        found = list(dict.fromkeys(find_run(name, self._runs) for name in names))
        for path in found:
            if path.parent.resolve() != self._runs.resolve():
                raise LessonError(
                    f"{path} is not a run in {self._runs}",
                    fix=f"name its workspace: --workspace {path.parent.parent}",
                )
            if owner := _user(path):
                raise LessonError(
                    f"{path.name} is not removed: it is in use by {owner}",
                    fix="stop it, or wait until it ends",
                )
        gone = {path.name for path in found}
        for run, home in self._homes.items():
            if home.name in gone and run.name not in gone:
                self.notes.append(f"{run.name} continued {home.name}: its files are removed too")
        return found

    def outdated(self, keep: int | None, age: timedelta | None) -> list[Path]:
        """
        Return the run folders to remove, oldest first.

        Args:
            keep: how many of the newest runs stay; ``None``: their number does not matter.
            age: younger runs stay; ``None``: their age does not matter.
        """
        runs = list(self._homes)
        staying = set(runs[len(runs) - keep :] if keep else ())
        if age is not None:
            latest = datetime.now(timezone.utc) - age
            staying |= {run for run in runs if _started(run) > latest}
        for run in runs:
            if run not in staying and (owner := _user(run)):
                self.notes.append(f"{run.name} stays: it is in use by {owner}")
                staying.add(run)
        for run in [run for run in runs if run in staying]:
            home = self._homes[run]
            if home in self._homes and home not in staying:
                self.notes.append(f"{home.name} stays: {run.name} continued it, and uses its files")
                staying.add(home)
        return [run for run in runs if run not in staying]

    def remove(self, run: Path) -> int:
        """
        Remove a run folder; return its size in bytes.

        Raises:
            LessonError: a part of it cannot be removed.
        """
        # Rename it first: a run that is only half removed must not look like a run.
        removed = run.with_name(f".{run.name}.removed")
        size = sum(facts.st_size for _, facts in files_below(run))
        try:
            if os.path.lexists(removed):  # left over from a removal that failed
                remove_tree(removed)
            remove_tree(run.rename(removed))
        except OSError as error:
            where, why = error.filename or removed, error.strerror or error
            raise LessonError(
                f"{run.name} cannot be removed: {where}: {why}", fix=f"remove the rest yourself: {removed}"
            ) from None
        return size


def _stored(run: Path) -> dict[str, object]:
    try:
        return record.read_any(run)
    except LessonError:
        return {}


def _user(run: Path) -> str | None:
    """Describe the run that works in a run folder now; ``None`` if no run does."""
    if owner := lock_owner(run):
        return owner
    for used in (home_of(run, _stored(run)), run.parent.parent):  # locked with the name of the run
        if (owner := lock_owner(used)) and run.name in owner:
            return owner
    return None


def _started(run: Path) -> datetime:
    """Return when a run started: from its record, else when its folder was last changed."""
    try:
        return datetime.fromisoformat(str(_stored(run)["started"]).replace("Z", "+00:00")).astimezone()
    except (KeyError, ValueError, OverflowError):
        return datetime.fromtimestamp(run.stat().st_mtime, timezone.utc)
