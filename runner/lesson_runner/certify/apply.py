"""Writing what certificates show into a lesson's frontmatter: edits of text, so comments and layout stay."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.certify.certificate_status import Standing
from lesson_runner.document.frontmatter import MARKER, read_frontmatter, split
from lesson_runner.files.plain import rewrite
from lesson_runner.model import Edit, Lesson, Location
from lesson_runner.model.errors import LessonError
from lesson_runner.validate.fix import apply_edits

_ITEM = re.compile(r"""( *)- +['"]?([\w-]+)['"]? *(#.*)?""")


@dataclass(frozen=True, slots=True)
class Change:
    """A lesson's file before and after."""

    path: Path
    before: str
    after: str

    def diff(self) -> list[str]:
        """Return the lines of the change as a unified diff; none if nothing changes."""
        before, after = (text.split("\n") for text in (self.before, self.after))
        return list(difflib.unified_diff(before, after, str(self.path), str(self.path), lineterm=""))

    def write(self) -> None:
        """
        Write the file.

        Raises:
            LessonError: it was changed in between, or cannot be written; it is as it was.
        """
        if self.path.read_bytes() != self.before.encode():
            raise LessonError(f"{self.path}: was changed in between", fix="apply the certificates again")
        try:
            rewrite(self.path, self.after.encode())
        except OSError as error:
            raise LessonError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def change_for(lesson: Lesson, standings: Sequence[Standing]) -> Change:
    """
    Return how a lesson's frontmatter says what valid certificates show.

    Args:
        standings: those that count, of boards; at least one.

    Raises:
        LessonError: the frontmatter is written in a way that cannot be edited safely.
    """
    values: dict[str, Any] = {
        "status": "validated",
        "validatedOn": _in_order_of(lesson, [item.target for item in standings]),
        # The date stands for all boards: the oldest certificate is the first that no longer counts.
        "validationDate": min(item.since for item in standings)[:10],
    }
    before = lesson.path.read_bytes().decode("utf-8")
    after, _ = apply_edits(before, _edits(lesson, values))
    text = after.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    front = read_frontmatter(split(text, lesson.path), lesson.path)
    kept = {key: value for key, value in lesson.frontmatter.items() if key not in values}
    if front.diagnostics or front.data != {**kept, **values}:
        message = f"{lesson.path}: the frontmatter cannot be edited safely"
        fix = f"write {', '.join(values)} as lines of their own, each with its value behind it"
        raise LessonError(message, fix=fix)
    return Change(lesson.path, before, after)


def _in_order_of(lesson: Lesson, names: Sequence[str]) -> list[str]:
    """Return hardware with that first which the lesson names already, in its order: the less changes."""
    named = lesson.frontmatter.get("validatedOn")
    kept = [name for name in named if name in names] if isinstance(named, list) else []
    return list(dict.fromkeys([*kept, *names]))


def _edits(lesson: Lesson, values: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits that give keys their values: each where it stands, new ones at the end."""
    lines = lesson.text.split("\n")
    end = split(lesson.text, lesson.path).first - 2  # the closing marker, counted from 0
    new: list[str] = []
    for key, value in values.items():
        if lesson.frontmatter.get(key) == value:
            continue
        written = f"{key}: [{', '.join(value)}]" if isinstance(value, list) else f"{key}: {value}"
        place = lesson.positions.get((key,))
        if place is None:
            new.append(written)
            continue
        first = place.line - 1
        last = _end_of_value(lines, first, end)
        old = lines[first:last]
        if isinstance(value, list) and (items := _items(old[1:], value)):
            yield Edit(Location(lesson.path, place.line), "\n".join(old), "\n".join([old[0], *items]))
            continue
        comment = _comment(lines[first]) if last == first + 1 else ""
        yield Edit(Location(lesson.path, place.line), "\n".join(old), written + comment)
    if new:
        yield Edit(Location(lesson.path, end + 1), MARKER, "\n".join([*new, MARKER]))


def _items(lines: Sequence[str], names: Sequence[str]) -> list[str]:
    """
    Return a list's lines with other items, an item a line as it was; empty if it is written in another way.

    What stays keeps its comment, and so do lines that are comments.
    """
    kept, left, indent = [], list(names), ""
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item is None and line.strip() and not line.lstrip().startswith("#"):
            return []
        if item is not None:
            indent = item[1]
            if item[2] not in left:
                continue
            left.remove(item[2])
        kept.append(line)
    return [*kept, *(f"{indent}- {name}" for name in left)] if any(map(_ITEM.fullmatch, lines)) else []


def _end_of_value(lines: Sequence[str], first: int, end: int) -> int:
    """Return the line after a key's value; a list's items may stand at the margin. Empty lines stay."""
    last = first + 1
    while last < end and (lines[last].startswith((" ", "- ")) or lines[last].strip() in ("", "-")):
        last += 1
    while not lines[last - 1].strip():
        last -= 1
    return last


def _comment(line: str) -> str:
    """Return the comment at a line's end, with the space before it; none where a value may hold its sign."""
    value, sign, comment = line.partition(" #")
    blank = value[len(value.rstrip()) :]
    return f"{blank}{sign}{comment}" if sign and not set("'\"") & set(value) else ""
