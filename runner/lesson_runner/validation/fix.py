"""``lesson validate --fix``: the edits that findings bring, applied to the files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from lesson_runner.errors import LessonError
from lesson_runner.model import Diagnostic, Edit, Findings, Location
from lesson_runner.resources import real, write_aside

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def mend_all(found: Findings, again: Callable[[], Findings], rounds: int) -> Findings:
    """
    Mend what can be mended, and return what is found after that.

    Args:
        found: what was found so far.
        again: looks once more.
        rounds: how often at most; an edit may have waited for another one.

    Raises:
        LessonError: a file cannot be written.
    """
    fixed: list[Diagnostic] = []
    for _ in range(rounds):
        mended = mend(found.diagnostics)
        if not mended:
            break
        fixed += mended
        found = again()
    return replace(found, fixed=tuple(fixed))


def mend(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """
    Apply the findings' edits, and return the findings that had some.

    A file keeps its line ends, its byte order mark and its mode. An edit whose text is not there any more,
    or that overlaps another one, is left for the next time.

    Raises:
        LessonError: a file cannot be written; it is as it was.
    """
    by_path: dict[Path, list[Diagnostic]] = defaultdict(list)
    for item in diagnostics:
        if item.edits:
            by_path[item.location.path].append(item)
    mended: list[Diagnostic] = []
    for path, items in by_path.items():
        text = path.read_bytes().decode("utf-8")
        new, done = apply_edits(text, [edit for item in items for edit in item.edits])
        if new != text:
            _replace(path, new)
        mended += [item for item in items if done.issuperset(item.edits)]
    return mended


def apply_edits(text: str, edits: Iterable[Edit]) -> tuple[str, set[Edit]]:
    """Return ``text`` (as the file has it) with the edits that apply to it, and which did."""
    lines = _LINE.findall(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    mark = len(text) - len(text.removeprefix("\ufeff"))
    end_of_line = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"

    def offset(place: Location) -> int:
        index = min(place.line - 1, len(starts) - 1)
        return starts[index] + place.column - 1 + (mark if index == 0 else 0)

    parts: list[str] = []
    done: set[Edit] = set()
    cursor = 0
    for edit in sorted(set(edits), key=lambda item: (item.location.line, item.location.column)):
        begin = offset(edit.location)
        old = edit.old.replace("\n", end_of_line)
        if begin < cursor or not text.startswith(old, begin):
            continue
        parts += [text[cursor:begin], edit.new.replace("\n", end_of_line)]
        cursor = begin + len(old)
        done.add(edit)
    return "".join([*parts, text[cursor:]]), done


def _replace(path: Path, text: str) -> None:
    target = real(path)  # a link stays a link
    try:
        write_aside(target, text.encode("utf-8"), target.stat().st_mode & 0o7777)
    except OSError as error:
        raise LessonError(f"{path}: cannot be written: {error.strerror or error}") from None
