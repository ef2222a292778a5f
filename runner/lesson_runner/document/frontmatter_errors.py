"""Explain to authors why a document has no frontmatter: another format, another marker, text above it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

Problem = tuple[str, int, int, str]
"""A message, its line and column (counted from 1), and how to fix it."""
_MARKER = "---"
_SEARCHED = 100
"""In how many lines frontmatter is searched for that does not begin on the first one."""
_NEAR = 10
"""In how many lines a key is searched for that shows that text is meant as frontmatter."""
_FORMATS = (
    (re.compile(r"\+\+\+|---+\s*toml\b", re.IGNORECASE), "TOML"),
    (re.compile(r"\{\s*(?:[\"'}]|$)|;;;|---+\s*json5?\b", re.IGNORECASE), "JSON"),
)
_KEY = re.compile(r"[A-Za-z]\w*:(?:\s|$)")
_FENCE = re.compile(r"(?:`{3,}|~{3,})\s*(?:ya?ml)?\s*", re.IGNORECASE)
_MEANT = re.compile(
    r"\s*(?:[-\u2010-\u2015\u2212]\s*){2,}|\s*(?:={3,}|\*{3,}|_{3,}|~{3,}|\+{3,}|;{3,}|\.{3})\s*"
)
"""A line that is meant as ``---``: too many or other dashes, other signs, spaces around it."""
_HEADING = re.compile(r"#{1,6} \S")
_EXACT = "with nothing before or after it"


_OWN_KEY = re.compile(r"(?:id|title|description|category|tags|supportedHardware|runner):(?:\s|$)")
"""A required key, or that of the runner: text below such a line is meant as frontmatter."""


def why_missing(lines: Sequence[str]) -> Problem | None:
    """Return why a document does not begin with the frontmatter that it has; ``None`` if it has none."""
    message, first = "the document does not begin with frontmatter", lines[0]
    invisible = next((sign for sign in first if unicodedata.category(sign) == "Cf" or sign == "\u00a0"), "")
    bare = first.strip(" \t\u00a0\u200b\u2060\ufeff")
    for pattern, name in _FORMATS:
        if pattern.match(bare):
            fix = "write it as YAML: 'key: value' lines between two lines '---'"
            return f"the frontmatter is {name}, and only YAML is read", 1, 1, fix
    if invisible and bare == _MARKER:
        what = f"U+{ord(invisible):04X}, which is invisible, is on the line of '---'"
        return f"{message}: {what}", 1, first.index(invisible) + 1, "delete this character"
    below = _begins_below(lines)
    if below is not None:
        blank = not any(line.strip() for line in lines[:below])
        fix = "delete the empty lines above it" if blank else "move the text above it below the frontmatter"
        return f"{message}: it begins on line {below + 1}, not on the first one", 1, 1, fix
    meant = any(map(_OWN_KEY.match, lines[:_NEAR]))
    if meant and _FENCE.fullmatch(bare):
        fix = f"replace the line '{bare}', and the one that closes it, with '---'"
        return f"{message}, but with a code block", 1, 1, fix
    if meant and (bare.startswith(_MARKER) or _MEANT.fullmatch(first)):
        column = len(first) - len(first.lstrip()) + 1
        what = f"the first line is {_named(first)}, not '---'"
        return f"{message}: {what}", 1, column, f"write the first line as '---', {_EXACT}"
    if meant and _KEY.match(first):
        return f"{message}: there is no '---' above its first key", 1, 1, "write a line '---' above it"
    return None


def why_unclosed(lines: Sequence[str], *, before: int | None = None) -> Problem | None:
    """
    Return why frontmatter does not end where its author meant it to; ``None`` if nothing says where that is.

    Args:
        lines: the document's lines; the first is ``---``.
        before: the line, from 1, of an error that a missing end may have caused; ``None`` if there is no end.
    """
    blank = False
    for number, line in enumerate(lines[1:before], 2):
        column = len(line) - len(line.lstrip()) + 1
        if line.rstrip(" ") != _MARKER and (_MEANT.fullmatch(line) or line.strip() == _MARKER):
            message = f"{_named(line)} does not end the frontmatter"
            return message, number, column, f"end it with a line '---', {_EXACT}"
        if blank and _HEADING.match(line) and (before is None or number < before):
            message = "the frontmatter is not closed above this heading"
            return message, number, column, f"end it with a line '---' above, {_EXACT}"
        blank = not line.strip()
    return None


def _begins_below(lines: Sequence[str]) -> int | None:
    """Return the index of the line ``---`` of frontmatter that is not at the start of a document."""
    pairs = enumerate(pairwise(lines[:_SEARCHED]))
    return next((n for n, (one, two) in pairs if n and one.rstrip() == _MARKER and _OWN_KEY.match(two)), None)


def _named(line: str) -> str:
    """Return a line for a message, with the code of a sign that is easily taken for another."""
    shown = line[:20] if line.strip() == _MARKER else line.strip()[:20]
    odd = next((sign for sign in shown if ord(sign) > 127), "")
    return f"{shown!r}" + (f" (U+{ord(odd):04X})" if odd else "")
