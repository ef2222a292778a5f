"""Rules about text that was encoded twice."""

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
        fix = "run 'lesson validate --fix', and save the file as UTF-8 from then on"
        edits = tuple(Edit(_place(lesson, spot), spot.old, spot.new) for spot in spots)
        yield Diagnostic("double-encoded", "error", message, _place(lesson, first), fix, edits)


def check_lost(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield characters that lost some of their bytes: one diagnostic for all of them."""
    damage = find_damage(lesson.text)
    for spots in _by_ignore(lesson, "lost-bytes", damage.lost):
        message = f"{_lines(spots)}: broken characters, encoded twice through {damage.page} with bytes lost"
        yield Diagnostic("lost-bytes", "error", message, _place(lesson, spots[0]), _fix(spots))


def _fix(spots: Sequence[Spot]) -> str:
    originals = dict.fromkeys((spot.old, spot.new) for spot in spots)
    shown = [f"'{old}' {_advice(new)}" for old, new in list(originals)[:_SHOWN_CHARACTERS]]
    more = f"; and {len(originals) - len(shown)} more" if len(originals) > len(shown) else ""
    return f"type them again: {'; '.join(shown)}{more}"


def _advice(original: str) -> str:
    if original == "\ufe0f":
        return "only turned the symbol before it into an emoji, and can be deleted"
    return f"was {original}" if original else "was one of many emoji"


def _lines(spots: Sequence[Spot]) -> str:
    """Return ``line 5``, or ``12 lines (3, 5-8, 20 and 6 more)``."""
    lines = sorted({spot.line for spot in spots})
    if len(lines) == 1:
        return f"line {lines[0]}"
    # Consecutive lines have the same difference from their index.
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
    """Group spots by the ``ignore`` comment that hides them; each group becomes one diagnostic."""
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
        "Text that was encoded twice: UTF-8 read in another encoding.",
        check=check_double,
    ),
    Rule("lost-bytes", "error", "Characters that lost bytes when they were encoded twice.", check=check_lost),
)
