"""Compare the files of a run before and after a step: which are new, changed or removed."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_runner.files.untrusted import files_below
from lesson_runner.run.hashing import Hasher, file_facts, stamp

ChangedFiles = Mapping[str, Mapping[str, Any] | None]
"""
By path below the folder: ``{"sha256": …, "bytes": …}``, or ``{"stamp": [size, time, inode]}`` for a file that
was not hashed; ``None`` for a file that was removed.
"""
MANY = 1000
"""If a step changes more files (a build, say), none is hashed: reading them all would take too long."""
MOST_NOTED = 50_000
"""If a step changes more files, none is recorded."""
MOST_CHARACTERS = 5_000_000
"""The same if the paths of the changed files are longer than this together."""
MOST_FILES = 300_000
"""Files that are compared before and after a step; 0.2 KB of memory and 5 µs each."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a step did to the files of its run."""

    files: ChangedFiles = field(default_factory=dict)
    unknown: str = ""
    """Why the changes are unknown, if they are."""


class WorkspaceSnapshot:
    """
    The state of a folder now, to compare with later.

    Args:
        folder: the folder that steps work in.
        workspace: left out, if it is inside: the runner writes there during the step.
    """

    def __init__(self, folder: Path, workspace: Path) -> None:
        self._folder = folder
        inside = workspace != folder and workspace.is_relative_to(folder)
        self._without = workspace.relative_to(folder).as_posix() + "/" if inside else None
        self._before = _stamps(folder, self._without)

    def changes(self, hasher: Hasher) -> Changes:
        """Return the files that have changed since the snapshot."""
        after = _stamps(self._folder, self._without)
        if self._before is None or after is None:
            return Changes(unknown=f"the folder has more than {MOST_FILES:,} files")
        names = [
            name
            for name in sorted(self._before.keys() | after.keys())
            if self._before.get(name) != after.get(name)
        ]
        if len(names) <= MANY:
            return Changes({name: file_facts(self._folder, name, hasher) for name in names})
        if len(names) > MOST_NOTED or sum(map(len, names)) > MOST_CHARACTERS:
            return Changes(unknown=f"the step changed {len(names):,} files")
        return Changes({name: {"stamp": list(after[name])} if name in after else None for name in names})


def _stamps(folder: Path, without: str | None) -> dict[str, tuple[int, int, int]] | None:
    """
    Return size, time and inode of every file below a folder; links are neither followed nor counted.

    Args:
        without: the beginning of paths that are left out.

    Returns:
        ``None`` if there are more than :data:`MOST_FILES`.
    """
    found: dict[str, tuple[int, int, int]] = {}
    if folder.is_symlink():  # a step has put it in the folder's place
        return found
    for name, facts in files_below(folder):
        if stat.S_ISREG(facts.st_mode) and not (without and name.startswith(without)):
            found[name] = stamp(facts)
            if len(found) > MOST_FILES:
                return None
    return found
