"""Find what lessons say about each other's order: "do this one first", "Next: …"."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from lesson_runner.model import Lesson, Link, Location

UNDER_HEADING, NUMBERS, NEXT, FIRST, DECLARED = range(1, 6)
"""
How much it counts: a link under a heading such as "Next steps", two files numbered 3 and 4, words about what
follows, words about what comes before, the frontmatter.
"""
_DONE = (
    r"prerequisites?|previous(?:ly)?|requires?|assumes?|builds? on|continues from|picks up from|after"
    r"|(?:complet|finish)ed|(?:worked|went) through|done"
)
"""Words in front of a link which say that the linked lesson comes first."""
_FOLLOWS = (
    r"next|continue (?:to|with|at|in|on)|(?:move|go|carry) on|proceed|follow-?up|ready (?:for|to)"
    r"|now (?:that )?you|then (?:do|read|take|see|try|go)"
)
_BEFORE_LINK = re.compile(rf"\b(?:(?P<first>{_DONE})|(?P<next>{_FOLLOWS}))\b", re.IGNORECASE)
_BEHIND_LINK = re.compile(
    r"\bfirst(?=\s*(?:$|[^\w\s]|(?:if|so|and|then|to|or)\b))|\bbefore (?:you|this|start|continu|reading)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\W*(?:(?P<first>prev(?:ious)?|back)|(?P<next>next|continue))\b", re.IGNORECASE)
_HEADING = re.compile(
    r"(?P<first>prerequisite|requirements?\b|before (?:you|starting|this)|previous(?:ly)?\b|what you\S* need)"
    r"|(?P<next>\bnext\b|where to go|continue\b|keep going|after this)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.!?;](?=\s|$)|\||\n\s*(?=[-*+]\s|\d+[.)]\s)|(?<=\S)\s+[·•]\s+")
_ENDINGS = (".md", ".markdown", ".html", "")
_INDEXES = ("index", "readme")


@dataclass(frozen=True, slots=True)
class Statement:
    """
    What a lesson says about the order of two, which are numbers in a list of lessons.

    Attributes:
        strength: how much it counts, such as :data:`NEXT`.
        place: where it says so.
    """

    strength: int
    first: int
    then: int
    place: Location


def statements(lessons: Sequence[Lesson]) -> Iterator[Statement]:
    """Yield what lessons say about each other in their frontmatter and around their links."""
    known = _Known(lessons)
    for number, lesson in enumerate(lessons):
        yield from (item for item in _statements(lesson, number, known) if item.first != item.then)


class _Known:
    """The lessons of a set, by id and by where links to them lead."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self._ids: dict[str, int] = {}
        self._paths: dict[str, int] = {}
        for number, lesson in enumerate(lessons):
            self._ids.setdefault(lesson.id, number)
            self._paths.setdefault(os.path.abspath(lesson.path), number)  # noqa: PTH100  # touches no file
            if lesson.path.stem.lower() in _INDEXES:
                self._paths.setdefault(os.path.abspath(lesson.path.parent), number)  # noqa: PTH100

    def by_name(self, name: str, near: Lesson) -> int | None:
        """Return the number of the lesson with an id, or at a path; ``None`` if there is none."""
        return self._ids[name] if name in self._ids else self.by_path(name, near)

    def by_path(self, target: str, near: Lesson) -> int | None:
        """Return the number of the lesson that a relative link leads to; ``None`` if it leads elsewhere."""
        path = unquote(target.partition("#")[0].partition("?")[0])
        if not path or path.startswith("/") or "\0" in path:
            return None
        place = os.path.abspath(near.path.parent / path)  # noqa: PTH100
        stem = place
        for ending in _ENDINGS[:-1]:
            stem = stem.removesuffix(ending)
        for candidate in (place, *(stem + ending for ending in _ENDINGS)):
            if (number := self._paths.get(candidate)) is not None:
                return number
        return None

    def of_link(self, link: Link, near: Lesson) -> int | None:
        """Return the number of the lesson that a link leads to, or that is an argument of its command."""
        try:
            parts = urlsplit(link.target)
        except ValueError:
            return None
        if parts.scheme == "command":
            names = _strings(link.target.partition("?")[2])
            return next((self._ids[name] for name in names if name in self._ids), None)
        return None if parts.scheme or parts.netloc else self.by_path(link.target, near)


def _strings(arguments: str) -> Iterator[str]:
    """Yield the texts in the JSON arguments of a command link."""
    try:
        todo = [json.loads(unquote(arguments))]
    except (ValueError, RecursionError):
        return
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            todo += reversed(item)
        elif isinstance(item, dict):
            todo += reversed(list(item.values()))


def _statements(lesson: Lesson, number: int, known: _Known) -> Iterator[Statement]:
    """Yield what one lesson says, perhaps about itself."""
    for key in ("prerequisites", "previous", "prev", "next"):
        for name in _names(lesson.frontmatter.get(key)):
            other = known.by_name(name, lesson)
            if other is not None:
                place = lesson.positions.get((key,), Location(lesson.path, 1))
                pair = (number, other) if key == "next" else (other, number)
                yield Statement(DECLARED, *pair, place)
    rows = lesson.text.split("\n")
    for link in lesson.links:
        other = known.of_link(link, lesson) if link.kind == "link" else None
        if other is None:
            continue
        strength, kind = _said_about(link, rows)
        if kind is not None:
            pair = (other, number) if kind == "first" else (number, other)
            yield Statement(strength, *pair, link.location)


def _names(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        name = item.get("id") if isinstance(item, Mapping) else item
        if isinstance(name, str):
            yield name


def _said_about(link: Link, rows: Sequence[str]) -> tuple[int, str | None]:
    """Return how much a text about a linked lesson counts, and whether that comes ``first`` or ``next``."""
    text = link.text.strip()
    if label := _LABEL.search(text):
        return _worded(label.lastgroup)
    if text.startswith(("←", "«", "⬅")) or text.endswith(("→", "»", "➡")):
        return _worded("first" if text.startswith(("←", "«", "⬅")) else "next")
    before, behind = _around(link, rows)
    if found := [*_BEFORE_LINK.finditer(before)]:
        return _worded(found[-1].lastgroup)
    if _BEHIND_LINK.search(behind):
        return _worded("first")
    heading = _HEADING.search(link.headings[-1]) if link.headings else None
    return UNDER_HEADING, heading.lastgroup if heading else None


def _worded(kind: str | None) -> tuple[int, str | None]:
    return FIRST if kind == "first" else NEXT, kind


_MOST_ROWS = 20
"""How many lines of a paragraph are looked at on each side of a link."""


def _around(link: Link, rows: Sequence[str]) -> tuple[str, str]:
    """Return the part of the sentence before a link's text, and the part behind its target."""
    line, column = link.location.line - 1, link.location.column - 1
    first = line
    while first > max(0, line - _MOST_ROWS) and rows[first - 1].strip():
        first -= 1
    last = line
    while last < min(len(rows) - 1, line + _MOST_ROWS) and rows[last + 1].strip():
        last += 1
    before = "\n".join([*rows[first:line], rows[line][:column]])
    before = before[: before.rfind("[")] if "[" in before else before
    after = "\n".join([rows[line][column + len(link.target) :], *rows[line + 1 : last + 1]])
    return _CLAUSE_END.split(_without_links(before))[-1], _CLAUSE_END.split(_without_links(after))[0]


def _without_links(text: str) -> str:
    """Return a text in which only the texts of links are left, so that a target does not end a sentence."""
    return re.sub(r"\]\([^()\n]*\)", "]", text)
