"""Write what certificates show into a lesson's frontmatter, as text edits that keep comments and layout."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.certify.certificate_status import CertificateStatus
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
        """Return the change as the lines of a unified diff; empty if nothing changes."""
        before, after = (text.split("\n") for text in (self.before, self.after))
        return list(difflib.unified_diff(before, after, str(self.path), str(self.path), lineterm=""))

    def write(self) -> None:
        """
        Write the changed file.

        Raises:
            LessonError: the file changed in the meantime or cannot be written; it is left as it was.
        """
        if self.path.read_bytes() != self.before.encode():
            raise LessonError(f"{self.path}: was changed in the meantime", fix="apply the certificates again")
        try:
            rewrite(self.path, self.after.encode())
        except OSError as error:
            raise LessonError(f"{self.path}: cannot be written: {error.strerror or error}") from None


def change_for(lesson: Lesson, statuses: Sequence[CertificateStatus]) -> Change:
    """
    Return the change that writes what valid certificates show into a lesson's frontmatter.

    Args:
        statuses: at least one status of a board, all with a valid certificate.

    Raises:
        LessonError: the frontmatter's layout cannot be edited safely.
    """
    values: dict[str, Any] = {
        "status": "validated",
        "validatedOn": _keep_order(lesson, [item.target for item in statuses]),
        # One date covers all boards, so use the oldest certificate: it expires first.
        "validationDate": min(item.since for item in statuses)[:10],
    }
    before = lesson.path.read_bytes().decode("utf-8")
    after, _ = apply_edits(before, _edits(lesson, values))
    text = after.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    front = read_frontmatter(split(text, lesson.path), lesson.path)
    own = read_frontmatter(split(lesson.text, lesson.path), lesson.path).data  # without the sidecar's
    kept = {key: value for key, value in own.items() if key not in values}
    if front.diagnostics or front.data != {**kept, **values}:
        message = f"{lesson.path}: the frontmatter cannot be edited safely"
        fix = f"write {', '.join(values)} on separate lines, each key followed by its value"
        raise LessonError(message, fix=fix)
    return Change(lesson.path, before, after)


def _keep_order(lesson: Lesson, names: Sequence[str]) -> list[str]:
    """Return hardware names; those the lesson already lists come first, which keeps the diff small."""
    named = lesson.frontmatter.get("validatedOn")
    kept = [name for name in named if name in names] if isinstance(named, list) else []
    return list(dict.fromkeys([*kept, *names]))


def _edits(lesson: Lesson, values: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits that set these keys: existing keys in place, new keys at the end."""
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
    Return the lines of a list with new items, one per line; empty if the list has another layout.

    Items that stay keep their comments; comment lines stay too.
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
    """Return the line after a key's value, without trailing empty lines; list items need no indentation."""
    last = first + 1
    while last < end and (lines[last].startswith((" ", "- ")) or lines[last].strip() in ("", "-")):
        last += 1
    while not lines[last - 1].strip():
        last -= 1
    return last


def _comment(line: str) -> str:
    """Return a line's trailing comment with the space before it; empty if the '#' may be part of a value."""
    value, sign, comment = line.partition(" #")
    blank = value[len(value.rstrip()) :]
    return f"{blank}{sign}{comment}" if sign and not set("'\"") & set(value) else ""
