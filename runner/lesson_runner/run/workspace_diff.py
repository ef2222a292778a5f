"""What a step leaves in the workspace for later ones: which files are new or changed, and which are gone."""

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
Path below the folder: ``{"sha256": …, "bytes": …}``, or ``{"stamp": [size, time, inode]}`` for a file that
was not hashed; ``None`` for a file that is gone.
"""
MANY = 1000
"""Of a step that touches more files (a build, say) none is hashed: to read them all would take too long."""
MOST_NOTED = 50_000
"""Of a step that touches more files, none is noted."""
MOST_CHARACTERS = 5_000_000
"""Nor of one that touches files whose paths are longer together."""
MOST_FILES = 300_000
"""Files of a workspace that are looked at before and after a step; 0.2 KB of memory and 5 µs each."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a step did to the files of the workspace."""

    files: ChangedFiles = field(default_factory=dict)
    unknown: str = ""
    """Why that is not known, if it is not."""


class WorkspaceSnapshot:
    """A folder as it is now, to be compared with later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = _stamps(folder)

    def changes(self, hasher: Hasher) -> Changes:
        """Return what has happened to the folder's files since."""
        after = _stamps(self._folder)
        if self._before is None or after is None:
            return Changes(unknown=f"the workspace has more than {MOST_FILES:,} files")
        names = [
            name
            for name in sorted(self._before.keys() | after.keys())
            if self._before.get(name) != after.get(name)
        ]
        if len(names) <= MANY:
            return Changes({name: file_facts(self._folder, name, hasher) for name in names})
        if len(names) > MOST_NOTED or sum(map(len, names)) > MOST_CHARACTERS:
            return Changes(unknown=f"it changed {len(names):,} files")
        return Changes({name: {"stamp": list(after[name])} if name in after else None for name in names})


def _stamps(folder: Path) -> dict[str, tuple[int, int, int]] | None:
    """
    Return size, time and inode of every file below a folder; links are neither followed nor counted.

    Returns:
        ``None`` if there are too many.
    """
    found = {}
    for name, facts in files_below(folder):
        if stat.S_ISREG(facts.st_mode):
            found[name] = stamp(facts)
            if len(found) > MOST_FILES:
                return None
    return found
