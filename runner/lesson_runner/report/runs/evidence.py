"""
What a report shows of evidence: the beginning and the end of each step's output, without escapes or tokens,
and which files cannot be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lesson_runner.files.evidence import EVIDENCE, OUTPUT, Evidence
from lesson_runner.files.untrusted import open_sized
from lesson_runner.model import Json, Table
from lesson_runner.report.runs.formatting import printable, public
from lesson_runner.run.printed import stored_gaps

BEGINNING = 48 * 1024
"""Bytes shown of the beginning of a long output."""
END = 16 * 1024
"""Bytes shown of its end, where a failure usually is."""
MOST_BYTES = 1024**4
"""The largest file of evidence that is read, in bytes."""
MOST_FILES = 10_000
"""Files of evidence that are checked."""
MOST_ROWS = 50
"""Unreadable files that are listed."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The output of a step; ``end`` is empty unless the middle was left out."""

    beginning: str
    end: str = ""
    left_out: int = 0
    """Bytes."""
    path: str = ""
    """The file with the output, relative to the run folder."""
    not_kept: int = 0
    """Lines in the middle that are not in the file either."""

    @property
    def note(self) -> str:
        """The line between the beginning and the end."""
        if self.not_kept:
            return (
                f"… {self.left_out:,} bytes left out, and {self.not_kept:,} lines that were not kept; "
                f"the rest: {self.path} …"
            )
        return f"… {self.left_out:,} bytes left out; all of it: {self.path} …"

    @property
    def text(self) -> str:
        """Beginning, note and end as one text."""
        return f"{self.beginning}\n{self.note}\n{self.end}" if self.left_out else self.beginning


def read_output(folder: Path, step: Json) -> Excerpt | None:
    """
    Return what a step printed, or why its output cannot be read.

    Returns:
        ``None`` if it printed nothing, or its evidence is missing.
    """
    evidence = Evidence.of(folder, step)
    path = f"{EVIDENCE}/{step['id']}/{OUTPUT}"
    try:
        with evidence.open(OUTPUT, most=MOST_BYTES) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= BEGINNING + END:
                head, tail = file.read(size), b""
            else:
                head = file.read(BEGINNING)
                file.seek(size - END)
                tail = file.read(END)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # a name with a null byte
        return Excerpt(f"[{printable(path)}: {_why(error)}]")
    if tail:  # whole lines, where there are any
        head = head[: head.rfind(b"\n") + 1] or head
        tail = tail[tail.find(b"\n") + 1 :] or tail
    if not head.strip():
        return None
    beginning, end = (public(part.decode("utf-8", "replace")).rstrip() for part in (head, tail))
    return Excerpt(beginning, end, size - len(head) - len(tail), path, _not_kept(evidence))


def _not_kept(evidence: Evidence) -> int:
    """Return how many lines of the output were not kept, as far as the evidence says so."""
    try:
        gap = stored_gaps(evidence).get("output")
    except (OSError, ValueError):
        return 0
    return 0 if gap is None else gap.lines


def unread(record: Json, folder: Path) -> list[Table]:
    """Return a table of the evidence that cannot be read; none if all files are readable or missing."""
    rows: list[tuple[str, str]] = []
    looked_at = 0
    for step in record["steps"]:
        for name in _names(folder, step):
            looked_at += 1
            if looked_at > MOST_FILES or len(rows) > MOST_ROWS:
                break
            if problem := _problem(folder, name, step):
                rows.append((name, problem))
    if not rows:
        return []
    if len(rows) > MOST_ROWS:
        rows[MOST_ROWS:] = [("…", "and more")]
    return [Table("Evidence that was not read", ("File", "Why"), tuple(rows))]


def _names(folder: Path, step: Json) -> Iterator[str]:
    """Yield the step's files: those that the record lists, then the others in its folder."""
    listed = step.get("artifacts", {})
    yield from listed
    inside = f"{EVIDENCE}/{step['id']}"
    try:
        with os.scandir(folder / inside) as entries:
            for entry in islice(entries, MOST_FILES):
                name = f"{inside}/{entry.name}"
                if name not in listed and not entry.is_dir(follow_symlinks=False):
                    yield name
    except (OSError, ValueError):
        pass


def _problem(folder: Path, name: str, step: Json) -> str:
    size = step.get("artifacts", {}).get(name, {}).get("bytes")
    try:
        open_sized(folder, name, MOST_BYTES, size).close()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        return _why(error)
    return ""


def _why(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
