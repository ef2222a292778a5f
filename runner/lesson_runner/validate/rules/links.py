"""Links to files and headings that do not exist; the network is not used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from lesson_runner.files.plain import real
from lesson_runner.model import Diagnostic, Lesson, Link, Location, Rule, Scope
from lesson_runner.validate.rules.anchors import anchors_in
from lesson_runner.validate.rules.targets import Folders, Nearest, project_of, scheme_of, split

# Lines of source code and text fragments are not anchors; "top" works in every document.
_NO_ANCHOR = re.compile(r"(?:|top|L\d+(?:C\d+)?(?:-L?\d+(?:C\d+)?)?|:~:.*)", re.DOTALL)
_ANCHOR_FIX = "an anchor is the heading in lower case, with hyphens for spaces and without punctuation"


def check_files(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield links to files that do not exist."""
    folders, suggest = Folders(project_of(lesson.path.parent)), Nearest()
    for link in lesson.links:
        target = link.target.strip()
        scheme = scheme_of(target)
        if not target:
            message = f"the {link.kind} has no target"
            yield _dead(link, message, "write the target between ( and )")
        elif scheme == "file" or len(scheme) == 1:  # C:\lessons
            message = f"{_shown(link)} leads to a file on your machine, which readers do not have"
            yield _dead(link, message, "put the file next to the lesson, and use its path from there")
        elif scheme or target.startswith("/"):  # the meaning of "/" depends on the site that shows the lesson
            continue
        elif missing := folders.missing(str(lesson.path.parent), split(target)[0]):
            where, name, there = missing
            message = f"{_shown(link)}: there is no '{name}' in {_folder(lesson.path, where)}"
            yield _dead(link, message, _file_fix(name, suggest.file(name, there)))


def _dead(link: Link, message: str, fix: str) -> Diagnostic:
    return Diagnostic("dead-link", "error", message, link.location, fix)


def _file_fix(name: str, near: str | None) -> str:
    if near:
        return f"did you mean '{near}'?"
    if "\\" in name:
        return "separate folders with '/'"
    return "paths are relative to the lesson's folder"


def _folder(path: Path, where: str) -> str:
    return f"'{where}'" if where else f"the folder of {path.name}"


def _shown(link: Link) -> str:
    target = link.target if len(link.target) <= 80 else f"{link.target[:80]}…"
    return f"the {link.kind} '{target}'"


def check_anchors(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield links to places in documents that do not exist."""
    links = [link for link in lesson.links if "#" in link.target and not scheme_of(link.target)]
    own = anchors_in(lesson) if links else frozenset()
    suggest = Nearest()
    for link in links:
        path, anchor = split(link.target)
        if path.startswith("/") or _NO_ANCHOR.fullmatch(anchor):
            continue
        known = _anchors_elsewhere(lesson, scope, path) if path else own
        if known is None or anchor in known or _loosely(anchor) in _all_loosely(known):
            continue
        where = f"'{path}'" if path else "this document"
        message = f"{_shown(link)}: no heading of {where} has the anchor '{anchor}'"
        near = suggest.name(anchor, known)
        fix = f"did you mean '#{near}'?" if near else _ANCHOR_FIX
        yield Diagnostic("dead-anchor", "error", message, link.location, fix)


def _anchors_elsewhere(lesson: Lesson, scope: Scope, path: str) -> frozenset[str] | None:
    try:
        file = lesson.path.parent / path
        inside = real(file).is_relative_to(project_of(lesson.path.parent))
        return scope.anchors_of(file) if inside else None
    except (OSError, ValueError):  # it cannot be a file's name, which another rule reports
        return None


def _loosely(anchor: str) -> str:
    """Return the part of an anchor that renderers agree on: some keep emoji, some drop outer hyphens."""
    return "".join(letter for letter in anchor if letter in "-_" or letter.isalnum()).strip("-")


@lru_cache(maxsize=64)
def _all_loosely(anchors: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_loosely, anchors))


def check_brackets(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield a diagnostic if not all links of the document were searched for."""
    if not lesson.links_complete:
        message = "the document has so many brackets that not all links were checked"
        fix = "put text that is not prose into code blocks, or split the lesson"
        yield Diagnostic("too-many-brackets", "warning", message, Location(lesson.path, 1), fix)


RULES = (
    Rule("dead-link", "error", "A link or an image whose file does not exist.", check=check_files),
    Rule("dead-anchor", "error", "A link to a heading that does not exist.", check=check_anchors),
    Rule(
        "too-many-brackets",
        "warning",
        "So many brackets that not all links were checked.",
        check=check_brackets,
    ),
)
