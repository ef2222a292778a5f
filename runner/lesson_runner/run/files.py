"""What is known of the files that a step's expectations name, kept so that they can be judged again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lesson_runner.model import Expectation
from lesson_runner.resources import write_aside

FILES = "files.json"
"""In a step's evidence, if it expects files."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Size and digest of a file of the workspace, or why there is none."""

    bytes: int = 0
    sha256: str = ""
    problem: str = ""


def file_digest(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def look_at_files(expectations: Iterable[Expectation], folder: Path) -> dict[str, FileFacts]:
    """Return what there is of each file that is expected, by its path in ``folder``."""
    wanted = {str(item.argument["path"]) for item in expectations if item.matcher == "file"}
    base = folder.resolve()
    return {name: _facts(name, base) for name in sorted(wanted)}


def _facts(name: str, base: Path) -> FileFacts:
    try:
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            return FileFacts(problem="the path leaves the workspace")
        if not path.is_file():
            return FileFacts(problem="there is no such file")
        return FileFacts(path.stat().st_size, file_digest(path))
    except (OSError, ValueError) as error:  # such as a path with a NUL in it
        return FileFacts(problem=f"it cannot be looked at: {error}")


def keep_files(files: Mapping[str, FileFacts], evidence: Path) -> None:
    """Write down what was found, if files were looked for."""
    if files:
        data = {name: asdict(facts) for name, facts in files.items()}
        write_aside(evidence / FILES, json.dumps(data, indent=2) + "\n")


def kept_files(evidence: Path) -> dict[str, FileFacts]:
    """Return what was written down; nothing if it is missing or damaged."""
    try:
        data = json.loads((evidence / FILES).read_text("utf-8"))
        return {str(name): FileFacts(**facts) for name, facts in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
