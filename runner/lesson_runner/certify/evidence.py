"""
The evidence files of a certificate, which may come from a stranger.

A file is opened only if it is a plain file of the signed size: reading a pipe would block, a device or a link
would lead out of the folder, and a file of a terabyte would take hours.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lesson_runner.document.sidecar import SUFFIX
from lesson_runner.files.untrusted import files_below
from lesson_runner.run.hashing import file_digest

LESSON, PLAN, MANIFEST = "lesson.md", "plan.json", "manifest.json"
SIDECAR = f"lesson{SUFFIX}"
_NOT_FROM_RUNS = frozenset({LESSON, SIDECAR, PLAN, MANIFEST})


def list_files(evidence: Path) -> dict[str, dict[str, Any]]:
    """
    Return size and sha256 of every file of the runs, by path relative to the evidence folder.

    Raises:
        OSError: a file cannot be read.
    """
    return {
        name: {"sha256": file_digest(path), "bytes": size} for name, path, size in sorted(_files(evidence))
    }


def first_difference(listed: Mapping[str, Any], evidence: Path) -> tuple[str, str] | None:
    """
    Return the first file that differs from the list, and how; ``None`` if all files match.

    Raises:
        OSError: a file cannot be read.
    """
    found: dict[str, Path] = {}
    for name, path, size in _files(evidence):
        if name not in listed:
            return name, "was added"
        if size != listed[name]["bytes"]:
            return name, "was changed"
        found[name] = path
    for name in listed:
        if name not in found:
            return name, "is missing"
    for name, path in found.items():
        if file_digest(path) != listed[name]["sha256"]:
            return name, "was changed"
    return None


def _files(evidence: Path) -> Iterator[tuple[str, Path, int]]:
    """Yield everything below except folders: its name in a manifest, its path, its size in bytes."""
    for inside, facts in files_below(evidence):
        name = inside.encode("utf-8", "backslashreplace").decode()
        if name not in _NOT_FROM_RUNS:
            # -1 matches no signed size: only plain files count.
            yield name, evidence / inside, facts.st_size if stat.S_ISREG(facts.st_mode) else -1
