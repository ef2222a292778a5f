"""
Split a lesson into frontmatter and body, and read the frontmatter's YAML.

YAML and Markdown parsers disagree on what closes frontmatter: an indented ``---``, more than three dashes,
``...``, a marker inside a block scalar. Only :func:`split` decides, and everything else uses the parts it
returns. A document that another parser could split elsewhere is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.document.frontmatter_errors import Problem, why_missing, why_unclosed
from lesson_runner.document.yaml_text import Origin, YamlText, load
from lesson_runner.model import Diagnostic, Location

MARKER = "---"
NO_FRONTMATTER = "no-frontmatter"
"""The rule about documents without frontmatter."""
_LIKE_A_MARKER = re.compile(r"\s*(?:-{3,}|\.\.\.)\s*|(?:---|\.\.\.)\s.*")
"""A line that some parsers take for the end of the frontmatter or of a YAML document."""
_NONE = "the document has no frontmatter; its id is made of the file's name"
_ADD = "begin it with 'key: value' lines between two lines '---'; 'lesson new lesson ID' writes an example"
_LINE_BREAK = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Characters that end a line in YAML 1.1 or in Python, but not in editors."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts of a document, with LF line ends."""

    yaml: str | None
    """The lines between the markers; ``None`` if the document has no frontmatter."""
    body: str
    """Everything below the closing marker; the whole document if it has no frontmatter."""
    first: int
    """The line on which the body begins, counted from 1."""
    problems: tuple[Diagnostic, ...] = ()

    @property
    def body_in_place(self) -> str:
        """The body with the line numbers of the file: empty lines replace the frontmatter."""
        return "\n" * (self.first - 1) + self.body


def split(text: str, path: Path) -> Parts:
    """
    Split a document into frontmatter and body.

    Frontmatter begins with ``---`` on the first line and ends at the next line ``---``. Both may have spaces
    at the end.

    Args:
        text: the document, with LF line ends and no byte order mark.
        path: the document's path, for diagnostics.

    Returns:
        Both parts. A document with ``problems`` is not a valid lesson: it has something that is meant as
        frontmatter and is not, or another parser could end the frontmatter elsewhere.
    """
    lines = text.split("\n")
    if not _closes(lines[0]):
        meant = why_missing(lines)
        return Parts(None, text, 1, (_found(path, meant),) if meant else ())
    end = next((index for index, line in enumerate(lines[1:], 1) if _closes(line)), None)
    if end is None:
        problem = why_unclosed(lines) or ("the frontmatter is not closed", 1, 1, "end it with a line '---'")
        return Parts(None, text, 1, (_found(path, problem),))
    problems = tuple(_ambiguities(lines, end, path))
    yaml = "".join(f"{line}\n" for line in lines[1:end])  # its last line end is part of a block scalar
    return Parts(yaml, "\n".join(lines[end + 1 :]), end + 2, problems)


def read_frontmatter(parts: Parts, path: Path) -> YamlText:
    """
    Return the frontmatter of a document; its data is always a mapping.

    Never raises: a document without frontmatter gives an empty mapping and a warning.
    """
    if parts.problems:
        return YamlText({}, diagnostics=parts.problems)
    if parts.yaml is None:
        place = Location(path, 1)
        return YamlText({}, diagnostics=(Diagnostic(NO_FRONTMATTER, "warning", _NONE, place, _ADD),))
    parsed = load(parts.yaml, Origin(path, line=2))
    if parsed.diagnostics:
        lines = [MARKER, *parts.yaml.split("\n")]
        meant = why_unclosed(lines, before=parsed.diagnostics[0].location.line)
        problems = (_found(path, meant),) if meant else parsed.diagnostics
        return YamlText({}, parsed.positions, problems)
    if not isinstance(parsed.data, dict):
        message = "the frontmatter is not a mapping of keys to values"
        return YamlText({}, diagnostics=(_found(path, (message, 2, 1, "write 'key: value' lines")),))
    return parsed


def _closes(line: str) -> bool:
    return line.rstrip(" ") == MARKER


def _ambiguities(lines: Sequence[str], end: int, path: Path) -> Iterator[Diagnostic]:
    """Yield errors about lines that another parser could take for the end of the frontmatter."""
    for number, line in enumerate(lines[1:end], 2):
        if _LIKE_A_MARKER.fullmatch(line):
            message = f"{line.strip()[:20]!r} inside the frontmatter: some programs end it here"
            fix = "to end it here, write '---' at the margin; otherwise write it without such a line"
            yield _found(path, (message, number, len(line) - len(line.lstrip()) + 1, fix))
        elif match := _LINE_BREAK.search(line):
            message = f"U+{ord(match[0]):04X} inside the frontmatter: some programs begin a new line here"
            yield _found(path, (message, number, match.start() + 1, "write a line feed, or delete it"))
    below = lines[end + 1] if end + 1 < len(lines) else ""
    if _LIKE_A_MARKER.fullmatch(below):
        message = f"{below.strip()[:20]!r} directly below the frontmatter: some programs take it for its end"
        column = len(below) - len(below.lstrip()) + 1
        yield _found(path, (message, end + 2, column, "leave an empty line above it"))


def _found(path: Path, problem: Problem) -> Diagnostic:
    message, line, column, fix = problem
    return Diagnostic("frontmatter", "error", message, Location(path, line, column), fix)
