"""
Parse directives: YAML in an HTML comment, directly above the code block it applies to.

A ``run`` directive contains its own block inside the comment, hidden from readers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.document.languages import language_of
from lesson_runner.document.schema.wording import as_written
from lesson_runner.document.yaml_text import KeyPath, Origin, YamlText, load
from lesson_runner.model import Diagnostic, Location

WORDS = ("step", "expect", "run", "skip", "manual", "ignore")
# "<!-- step by step -->" is prose; after a directive's word comes a key, a mapping, or a line end.
_OPENING = re.compile(r"^ {0,3}<!--[ \t]*(?P<word>[a-z]+)(?![\w-])(?=[ \t]*(?:\n|-->|\{|[\w-]+[ \t]*:))")
_NEXT_COMMENT = re.compile(r"\n[ \t]*<!--")
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)[^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive as written."""

    word: str
    data: Mapping[str, Any]
    positions: Mapping[KeyPath, Location]
    location: Location
    hidden: tuple[str, str, Location] | None = None
    """Language, text and place of the block inside a ``run`` directive."""


def read(comment: str, path: Path, line: int, indent: int) -> tuple[Directive | None, list[Diagnostic]]:
    """
    Read one HTML block of a document.

    Args:
        comment: the HTML block, without its container's indentation.
        path: the document.
        line: its first line, counted from 1.
        indent: its indentation by containers, in columns.

    Returns:
        The directive, or ``None`` for a broken one or another comment; and the diagnostics. A comment that
        only looks like a directive has none: :mod:`~lesson_runner.document.lost` reports it.
    """
    opening = _OPENING.match(comment)
    if opening is None:
        return None, []
    word = opening["word"]
    if word not in WORDS:
        return None, []
    location = Location(path, line, indent + comment.index("<") + 1)

    def failed(rule: str, message: str, fix: str) -> tuple[None, list[Diagnostic]]:
        return None, [Diagnostic(rule, "error", message, location, fix)]

    end = comment.find("-->")
    if end < 0:
        return failed("unclosed-directive", f"the '{word}' comment is not closed", "end it with -->")
    inside = comment[opening.end() : end]
    if word != "run" and _NEXT_COMMENT.search(inside):
        message = f"the '{word}' comment is not closed before the next comment begins"
        return failed("unclosed-directive", message, "end it with -->")
    fence = _FENCE.search(inside)
    hidden, problems = _hidden(inside, fence, path, line, indent) if word == "run" and fence else (None, [])
    # A --> in a hidden block causes text after the comment; report that instead of its consequences.
    if comment[end + 3 :].strip() and not problems:
        return failed(
            "text-after-directive", f"text after the '{word}' comment's -->", "put it on separate lines"
        )
    if word == "run" and fence is None:
        return failed(
            "run-without-block",
            "a 'run' comment must contain its code block, and this one does not",
            "put a fenced block after the YAML, inside the comment",
        )
    yaml = inside[: fence.start()] if word == "run" and fence else inside
    parsed = load(yaml, Origin(path, line, indent + opening.end() + 1, indent))
    if not parsed.diagnostics and not isinstance(parsed.data, dict | None):
        shown = as_written(parsed.data, (), parsed.positions)
        message = f"'{word}' is followed by {shown}"
        return failed("directive-not-mapping", message, "write 'key: value' lines")
    problems = [*parsed.diagnostics, *problems]
    if problems:
        return None, problems
    return Directive(word, parsed.data or {}, _with_root(parsed, location), location, hidden), []


def _with_root(parsed: YamlText, location: Location) -> Mapping[KeyPath, Location]:
    """Return the positions, with the comment's place for the whole directive."""
    return {**parsed.positions, (): location}


def _hidden(
    inside: str, fence: re.Match[str], path: Path, line: int, indent: int
) -> tuple[tuple[str, str, Location] | None, list[Diagnostic]]:
    """Return the block inside a ``run`` comment, or a diagnostic that says why it is missing."""
    first = line + inside.count("\n", 0, fence.start())
    body = inside[fence.end() + 1 :].split("\n")
    closing = next((n for n, text in enumerate(body) if _closes(text, fence["fence"])), None)
    if closing is None:
        message = "the hidden block does not end inside its comment"
        fix = f"close it with {fence['fence']} before -->; a --> in the block's code ends the comment"
        return None, [
            Diagnostic("unclosed-hidden-block", "error", message, Location(path, first, indent + 1), fix)
        ]
    if any(row.strip() for row in body[closing + 1 :]):
        place = Location(path, first + closing + 2, indent + 1)
        message, fix = "text after the hidden block", "put another block into a separate 'run' comment"
        return None, [Diagnostic("text-after-directive", "error", message, place, fix)]
    text = "".join(f"{row}\n" for row in body[:closing])
    return (language_of(fence["info"]), text, Location(path, first + 1, indent + 1)), []


def _closes(text: str, fence: str) -> bool:
    row = text.strip()
    return len(row) >= len(fence) and set(row) == {fence[0]}
