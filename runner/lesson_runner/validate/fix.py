"""``lesson validate --fix``: the edits that diagnostics bring, applied to the files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from lesson_runner.files.plain import real, rewrite
from lesson_runner.model import Checked, Diagnostic, Edit, Location
from lesson_runner.model.errors import LessonError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def apply_fixes(found: Checked) -> list[Diagnostic]:
    """
    Apply the edits of a document's diagnostics, and return the diagnostics that had some.

    A file keeps its line ends, its byte order mark and its mode. An edit that overlaps another one is left
    for the next time.

    Raises:
        LessonError: a file was changed after it was looked at, cannot be written, or is a link that leaves
            the current folder; it is as it was.
    """
    items = [item for item in found.diagnostics if item.edits and item.location.path == found.path]
    if not items:
        return []
    target = real(found.path)
    if found.path.is_symlink() and not target.is_relative_to(real(Path.cwd())):
        raise LessonError(
            f"{found.path}: is a link to {target}, outside the current folder: it is not changed",
            fix="name that file itself",
        )
    text = _unchanged(found.path, found.digest)
    new, done = apply_edits(text, [edit for item in items for edit in item.edits])
    if new != text:
        _replace(found.path, new)
    return [item for item in items if done.issuperset(item.edits)]


def _unchanged(path: Path, digest: str | None) -> str:
    """Return the text of a file that is still what was looked at."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise LessonError(f"{path}: cannot be read any more: {error}", fix="validate it again") from None
    if hashlib.sha256(raw).hexdigest() != digest:
        raise LessonError(f"{path}: was changed while it was validated", fix="validate it again")
    return raw.decode("utf-8")


def apply_edits(text: str, edits: Iterable[Edit]) -> tuple[str, set[Edit]]:
    """Return ``text`` (as the file has it) with the edits that apply to it, and which did."""
    source = Source(text)
    parts: list[str] = []
    done: set[Edit] = set()
    cursor = 0
    for edit, begin, end in source.places(edits):
        parts += [text[cursor:begin], edit.new.replace("\n", source.end_of_line)]
        cursor = end
        done.add(edit)
    return "".join([*parts, text[cursor:]]), done


class Source:
    """A text as its file has it, and where its lines begin: found once, however many edits there are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in _LINE.finditer(text))]
        self.mark = len(text) - len(text.removeprefix("\ufeff"))
        plain = "\r" if "\r" in text and "\n" not in text else "\n"
        self.end_of_line = "\r\n" if "\r\n" in text else plain

    def places(self, edits: Iterable[Edit]) -> Iterator[tuple[Edit, int, int]]:
        """Yield, in the text's order, the edits that apply, each with where its old text begins and ends."""
        cursor = 0
        for edit in sorted(set(edits), key=lambda item: item.location):
            begin = self._index(edit.location)
            old = edit.old.replace("\n", self.end_of_line)
            if begin >= cursor and self.text.startswith(old, begin):
                cursor = begin + len(old)
                yield edit, begin, cursor

    def allows(self, edits: Collection[Edit]) -> bool:
        """Return whether all of these edits apply."""
        return sum(1 for _ in self.places(edits)) == len(set(edits))

    def _index(self, place: Location) -> int:
        line = min(place.line - 1, len(self.starts) - 1)
        return self.starts[line] + place.column - 1 + (self.mark if line == 0 else 0)


def _replace(path: Path, text: str) -> None:
    try:
        rewrite(path, text.encode("utf-8"))
    except OSError as error:
        raise LessonError(f"{path}: cannot be written: {error.strerror or error}") from None
