"""Facts about the files that a step's expectations name, stored so that they can be judged again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lesson_runner.files.evidence import Evidence
from lesson_runner.files.plain import write_atomically
from lesson_runner.files.untrusted import open_below
from lesson_runner.model import Expectation
from lesson_runner.model.hints import closest
from lesson_runner.run.hashing import Hasher, NotHashedError

FILES = "files.json"
"""In the evidence of a step that expects files."""
MOST_LISTED = 2_000
"""Files of a folder that are compared with the name of one that does not exist."""
MOST_NAMED = 5
"""Files of a folder that are named if none is like it."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Size and digest of a file in the workspace, or why they are unknown."""

    bytes: int = 0
    sha256: str = ""
    problem: str = ""
    not_hashed: str = ""
    """Why there is a size but no digest."""


def inspect_files(expectations: Iterable[Expectation], folder: Path, hasher: Hasher) -> dict[str, FileFacts]:
    """Return facts about each expected file, by its path in ``folder``."""
    wanted = {str(item.argument["path"]) for item in expectations if item.matcher == "file"}
    return {name: _facts(name, folder, hasher) for name in sorted(wanted)}


def _facts(name: str, folder: Path, hasher: Hasher) -> FileFacts:
    base = folder.resolve()
    try:
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            return FileFacts(problem=f"the path is outside the workspace: it is looked up in {folder}")
        if not path.is_file():
            return FileFacts(problem=_why_missing(name, path, folder))
        with open_below(base, path.relative_to(base).as_posix()) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                return FileFacts(size, hasher.digest(file))
            except NotHashedError as error:
                return FileFacts(size, not_hashed=str(error))
    except (OSError, ValueError) as error:  # such as a path with a NUL in it
        return FileFacts(problem=f"the file cannot be read: {error}")


def _why_missing(name: str, path: Path, folder: Path) -> str:
    """Describe where a file was looked up, and what is there instead."""
    if path.is_dir():
        return f"it is a folder in {folder}, not a file"
    there = list(islice(_files_below(folder), MOST_LISTED))
    near = next((item for item in there if Path(item).name == Path(name).name), None) or closest(name, there)
    if near is not None:
        what = f"did you mean '{near}'?"
    elif there:
        shown = sorted(there)[:MOST_NAMED]
        more = ", …" if len(there) > len(shown) else ""
        what = f"there is {', '.join(shown)}{more}"
    else:
        what = "there are no files"
    return f"the file does not exist in {folder} ({what})"


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the files below a folder as paths from there, those near the top of each folder first."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(parent, name).relative_to(folder).as_posix()


def save_file_facts(files: Mapping[str, FileFacts], evidence: Path) -> None:
    """Store the facts in the evidence, if any files were expected."""
    if files:
        data = {name: _known(facts) for name, facts in files.items()}
        write_atomically(evidence / FILES, json.dumps(data, indent=2) + "\n")


def _known(facts: FileFacts) -> dict[str, Any]:
    data = asdict(facts)
    return data if facts.not_hashed else {key: data[key] for key in data if key != "not_hashed"}


def load_file_facts(evidence: Evidence) -> dict[str, FileFacts]:
    """Return the stored facts; empty if they are missing or damaged."""
    try:
        data = evidence.read_json(FILES)
        return {str(name): FileFacts(**facts) for name, facts in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
