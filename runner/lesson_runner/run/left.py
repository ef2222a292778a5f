"""What a step leaves in the workspace for later ones: which files are new or changed, and which are gone."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesson_runner.run.files import file_digest

Left = Mapping[str, Mapping[str, Any] | None]
"""Path below the folder: ``{"sha256": …, "bytes": …}``; ``None`` for a file that is gone."""
MANY = 1000
"""Of a step that touches more files (a build, say) none is noted: to read them all would take too long."""


class Watched:
    """A folder as it is now, to be compared with later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = _stamps(folder)

    def left(self) -> Left:
        """Return what has happened to the folder's files since."""
        after = _stamps(self._folder)
        names = [
            name
            for name in sorted(self._before.keys() | after.keys())
            if self._before.get(name) != after.get(name)
        ]
        return {} if len(names) > MANY else {name: look(self._folder, name) for name in names}


def look(folder: Path, name: str) -> Mapping[str, Any] | None:
    """Return size and digest of a file below a folder; ``None`` if there is none that can be read."""
    path = folder / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        return {"sha256": file_digest(path), "bytes": path.stat().st_size}
    except (OSError, ValueError):
        return None


def _stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return size, time and inode of every file below a folder; links are neither followed nor counted."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                facts = path.lstat()
            except OSError:  # something in the background has removed it
                continue
            if stat.S_ISREG(facts.st_mode):
                stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
                found[path.relative_to(folder).as_posix()] = stamp
    return found
