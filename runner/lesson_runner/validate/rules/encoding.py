"""Text that was encoded twice on its way into the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from lesson_runner.document.mojibake import Spot, find_damage
from lesson_runner.model import Diagnostic, Edit, Lesson, Location, Rule, Scope

_SHOWN_LINES = 10
_SHOWN_CHARACTERS = 8


def check_double(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield text that was encoded twice: one diagnostic, whose edits fix all of it."""
    damage = find_damage(lesson.text)
    for spots in _by_ignore(lesson, "double-encoded", damage.repairs):
        first = spots[0]
        message = f"{_lines(spots)}: encoded twice, through {damage.page}: '{first.old}' was '{first.new}'"
        fix = "'lesson validate --fix' mends it; save the file as UTF-8 from then on"
        edits = tuple(Edit(_place(lesson, spot), spot.old, spot.new) for spot in spots)
        yield Diagnostic("double-encoded", "error", message, _place(lesson, first), fix, edits)


def check_lost(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield what is left of characters when some of their bytes are gone: one diagnostic for all of it."""
    damage = find_damage(lesson.text)
    for spots in _by_ignore(lesson, "lost-bytes", damage.lost):
        message = (
            f"{_lines(spots)}: what is left of characters that went through {damage.page} and lost bytes"
        )
        yield Diagnostic("lost-bytes", "error", message, _place(lesson, spots[0]), _what_to_write(spots))


def _what_to_write(spots: Sequence[Spot]) -> str:
    meant = dict.fromkeys((spot.old, spot.new) for spot in spots)
    said = [f"'{old}' {_advice(new)}" for old, new in list(meant)[:_SHOWN_CHARACTERS]]
    more = f"; and {len(meant) - len(said)} more" if len(meant) > len(said) else ""
    return f"write them again: {'; '.join(said)}{more}"


def _advice(meant: str) -> str:
    if meant == "\ufe0f":
        return "only made the sign before it an emoji, and can go"
    return f"was {meant}" if meant else "was one of many emoji"


def _lines(spots: Sequence[Spot]) -> str:
    """Return ``line 5``, or ``12 lines (3, 5-8, 20 and 6 more)``."""
    lines = sorted({spot.line for spot in spots})
    if len(lines) == 1:
        return f"line {lines[0]}"
    # Lines that follow one another keep their distance from a running number.
    groups = (
        [line for _, line in group] for _, group in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])
    )
    ranges: list[str] = []
    shown = 0
    for group in groups:
        if len(ranges) == _SHOWN_LINES:
            break
        ranges.append(str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}")
        shown += len(group)
    more = f" and {len(lines) - shown} more" if shown < len(lines) else ""
    return f"{len(lines)} lines ({', '.join(ranges)}{more})"


def _place(lesson: Lesson, spot: Spot) -> Location:
    return Location(lesson.path, spot.line, spot.column)


def _by_ignore(lesson: Lesson, rule: str, spots: Iterable[Spot]) -> Iterator[list[Spot]]:
    """Yield the spots that no ``ignore`` comment hides, and those that each one does: a diagnostic each."""
    comments = [comment for comment in lesson.ignores if rule in comment.rules]
    parts: dict[int, list[Spot]] = {}
    for spot in spots:
        hidden = (n for n, comment in enumerate(comments) if comment.first <= spot.line <= comment.last)
        parts.setdefault(next(hidden, -1), []).append(spot)
    yield from parts.values()


RULES = (
    Rule(
        "double-encoded",
        "error",
        "Text that was encoded twice: UTF-8 taken for a code page.",
        check=check_double,
    ),
    Rule("lost-bytes", "error", "Characters of which double encoding left only a part.", check=check_lost),
)
