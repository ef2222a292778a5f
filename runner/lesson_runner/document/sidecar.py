"""
Read a lesson's sidecar: directives for a document that is not to be edited, in ``<lesson>.steps.yaml``.

An entry names its block by the headings above it and by its number below them, and has a copy of the block's
text, so that a directive never applies to a block that its author has not seen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.document.directives import WORDS, Directive
from lesson_runner.document.schema.validator import check, load_schema, place_of
from lesson_runner.document.yaml_text import KeyPath, Origin, load
from lesson_runner.files.plain import read_plain
from lesson_runner.model import Diagnostic, Json, Location, Sidecar
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.model.lesson_ids import name_of_file

SUFFIX = ".steps.yaml"
MAX_BYTES = 1_000_000
"""Upper limit for a sidecar, which has a copy of the text of each block."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "step": ("heading", "fence", "text"),
    "expect": ("heading", "fence", "text"),
    "skip": ("heading", "fence", "text"),
    "ignore": ("heading", "fence", "text"),
    "run": ("heading", "language", "text"),
    "manual": ("heading",),
}
"""What an entry has besides its directive."""
WITHOUT_BLOCK = ("run", "manual")
"""Directives that do not apply to a block that readers see."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A directive of a sidecar, and where it belongs."""

    directive: Directive
    """With the places of its keys in the sidecar."""
    heading: tuple[str, ...] = ()
    fence: int | None = None
    """Which fence below the heading, counted from 1."""
    text: str | None = None
    """The block's text, as the author saw it; ``None`` for an entry without a block."""


@dataclass(frozen=True, slots=True)
class Entries:
    """The content of a sidecar."""

    file: Sidecar
    entries: tuple[Entry, ...] = ()
    frontmatter: Json = field(default_factory=dict)
    positions: Mapping[KeyPath, Location] = field(default_factory=dict)
    """The place of each key of the frontmatter, by its path."""
    problems: tuple[Diagnostic, ...] = ()
    """If there is one, the rest is empty."""


def sidecar_path(lesson: Path, overlay: Path | None = None) -> Path:
    """Return where a lesson's sidecar is: beside it, or in the folder ``overlay``."""
    if overlay is None:
        return lesson.with_name(f"{lesson.stem}{SUFFIX}")
    return overlay / f"{name_of_file(lesson)}{SUFFIX}"


def find_sidecar(lesson: Path, overlay: Path | None = None) -> Path | None:
    """Return the path of a lesson's sidecar, in ``overlay`` or else beside it; ``None`` if it has none."""
    places = [sidecar_path(lesson, overlay), sidecar_path(lesson)]
    return next((path for path in places if os.path.lexists(path)), None)


def read_sidecar(path: Path) -> Sidecar:
    """
    Return the text of a sidecar.

    Raises:
        InvalidLessonError: it is a link, is not UTF-8 text, is too large, or cannot be read.
    """
    try:
        if path.is_symlink():
            raise InvalidLessonError([_unusable("unreadable", path, f"is a link to {path.readlink()}")])
        text = read_plain(path, MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidLessonError([_unusable("not-utf-8", path, "is not UTF-8 text")]) from None
    except OSError as error:
        raise InvalidLessonError(
            [_unusable("unreadable", path, f"cannot be read: {error.strerror or error}")]
        ) from None
    return Sidecar(path, text.replace("\r\n", "\n").replace("\r", "\n"))


def without_lesson(path: Path) -> Diagnostic:
    """Return the error about a sidecar that is beside no lesson."""
    name = f"{path.name.removesuffix(SUFFIX)}.md"
    fix = "rename it as its lesson is called, or remove it"
    message = f"the sidecar belongs to no lesson: there is no {name} beside it"
    return Diagnostic("sidecar-unbound", "error", message, Location(path, 1), fix)


def _unusable(rule: str, path: Path, what: str) -> Diagnostic:
    fix = "write the sidecar as a plain file in UTF-8, or remove it"
    return Diagnostic(rule, "error", f"the sidecar {what}", Location(path, 1), fix)


def parse_sidecar(file: Sidecar) -> Entries:
    """Return the entries of a sidecar; never raises for its content."""
    parsed = load(file.text, Origin(file.path, 1), most=MAX_BYTES)
    if parsed.diagnostics:
        return Entries(file, problems=parsed.diagnostics)
    data = {} if parsed.data is None else parsed.data
    positions = {(): Location(file.path, 1), **parsed.positions}
    problems = list(check(data, load_schema("sidecar"), positions, what="sidecar"))
    if not problems:
        for number, item in enumerate(data.get("steps", ())):
            problems += _check_entry(item, ("steps", number), positions)
    if problems:
        return Entries(file, problems=tuple(problems))
    entries = [_entry(item, ("steps", n), positions) for n, item in enumerate(data.get("steps", ()))]
    return Entries(
        file, tuple(entries), data.get("frontmatter", {}), _below(positions, ("frontmatter",), root=False)
    )


def _check_entry(item: Json, at: KeyPath, positions: Mapping[KeyPath, Location]) -> list[Diagnostic]:
    """Return diagnostics about an entry with another number of directives than one, or without its place."""
    words = [key for key in item if key in WORDS]
    place = place_of(positions, at)
    if len(words) != 1:
        message = f"sidecar: an entry has exactly one of {', '.join(WORDS)}, not {', '.join(words) or 'none'}"
        return [Diagnostic("wrong-value", "error", message, place, "write an entry for each")]
    word = words[0]
    whole = word == "ignore" and item[word].get("file") is True
    needed = () if whole else _NEEDED[word]
    found = [
        Diagnostic("missing-key", "error", f"sidecar: '{key}' is missing beside '{word}'", place)
        for key in needed
        if key not in item
    ]
    allowed = {*needed, *(("fence",) if word in WITHOUT_BLOCK else ()), word}
    return found + [
        Diagnostic(
            "unknown-key",
            "error",
            f"sidecar: '{word}' has no '{key}'",
            place_of(positions, (*at, key)),
            "remove it",
        )
        for key in item
        if key not in allowed
    ]


def _entry(item: Json, at: KeyPath, positions: Mapping[KeyPath, Location]) -> Entry:
    word = next(key for key in item if key in WORDS)
    hidden: tuple[str, str, Location] | None = None
    text: str | None = item.get("text")
    if word == "run" and text is not None:
        start = place_of(positions, (*at, "text"))
        hidden = item["language"], text, Location(start.path, start.line + 1, start.column)
    own = _below(positions, (*at, word), root=True)
    directive = Directive(word, item[word], own, place_of(positions, (*at, word)), hidden)
    return Entry(
        directive,
        tuple(item.get("heading", ())),
        item.get("fence"),
        None if word in WITHOUT_BLOCK else text,
    )


def _below(positions: Mapping[KeyPath, Location], at: KeyPath, *, root: bool) -> dict[KeyPath, Location]:
    """Return the positions below a path, relative to it, with its own place if ``root``."""
    found = {path[len(at) :]: place for path, place in positions.items() if path[: len(at)] == at}
    if not root:
        found.pop((), None)
    return found


def describe_change(old: str, new: str) -> str:
    """Return what differs between two texts, in one line: up to three removed and three added lines."""
    import difflib

    rows = [row for row in difflib.ndiff(old.split("\n"), new.split("\n")) if row[:2] in ("- ", "+ ")]
    shown = []
    for sign in "-+":
        mine = [row[2:].strip() or " " for row in rows if row[0] == sign]
        shown += [f"{sign} '{row[:80]}'" for row in mine[:3]]
        shown += [f"{sign} {len(mine) - 3} more lines"] if len(mine) > 3 else []
    return ", ".join(shown)


def same_text(one: str, other: str) -> bool:
    """Return whether two texts of blocks are the same; line ends at the end do not count."""
    return one.rstrip("\n") == other.rstrip("\n")
