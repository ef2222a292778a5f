"""Compare text that a lesson expects with text that a program printed, and say how they differ."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from lesson_runner.model import Gap

MOST_COMPARED = 200_000
"""Characters at the end of an output in which something that looks like the expected text is looked for."""
MOST_LINES = 1_000
"""Lines at the end of an output that may be the nearest to an expected line."""
LONGEST_LINE = 400
"""Longer lines are never the nearest, and are shortened where they are shown."""

_NAMES = {
    "\t": "a tab",
    " ": "a space",
    "\n": "a line break",
    "\r": "a carriage return",
    "": "the end of the text",
}


def without_last_breaks(text: str) -> str:
    """Return a text without line breaks at its end, which a YAML ``|`` adds, unless it consists of blanks."""
    return re.sub(r"(?<!\\)\n+\Z", "", text) if text.strip() else text


def position_of(text: str, gap: Gap) -> int:
    """Return where the lines that were not kept are missing: the position of the line after them."""
    position = 0
    for _ in range(gap.after):
        position = text.find("\n", position) + 1
        if not position:
            return len(text) + 1
    return position


def parts_of(text: str, gap: Gap | None) -> tuple[str, ...]:
    """Return the text before and after the lines that were not kept; the whole text if all were kept."""
    if gap is None:
        return (text,)
    cut = position_of(text, gap)
    return text[: max(cut - 1, 0)], text[cut:]


def lookalike(wanted: str, text: str, *, whole: bool = False) -> str | None:
    """
    Return how a text differs from an expected one that looks like a part of it; ``None`` if none does.

    Texts look alike if they are equal but for white space, invisible characters, and characters that have
    several codes, such as an accented letter. With ``whole``, the texts are whole lines.
    """
    begin = max(len(text) - MOST_COMPARED, 0)
    plain, places = _appearance(text[begin:])
    sought, _ = _appearance(wanted)
    sought = sought.strip()
    matches = re.finditer(rf"^{re.escape(sought)}$" if whole else re.escape(sought), plain, re.MULTILINE)
    match = next(matches, None) if sought else None
    if match is None:
        return None
    at = match.start()
    start = begin + places[at]
    found = text[start : begin + places[at + len(sought) - 1] + 1]
    while start and wanted[:1].isspace() and text[start - 1].isspace() and text[start - 1] != "\n":
        start, found = start - 1, text[start - 1] + found
    if found == wanted:
        return None
    same = next(
        (n for n, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b),
        min(len(wanted), len(found)),
    )
    has, expects = _named(found[same : same + 1]), _named(wanted[same : same + 1])
    line = text.count("\n", 0, start + same) + 1
    column = start + same - (text.rfind("\n", 0, start + same) + 1) + 1
    return f"line {line} looks the same, but has {has} at column {column} where {expects} is expected"


def _appearance(text: str) -> tuple[str, list[int]]:
    """Return how a text looks, and the place of each character of that in the text."""
    shown: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace() and character != "\n":
            parts = "" if not shown or shown[-1] in " \n" else " "
        elif unicodedata.category(character) in ("Cf", "Cc") and character != "\n":
            parts = ""
        else:
            parts = character if character.isascii() else unicodedata.normalize("NFKD", character)
        if parts == "\n" and shown and shown[-1] == " ":
            shown.pop()
            places.pop()
        shown += parts
        places += [place] * len(parts)
    return "".join(shown).rstrip(" "), places


def _named(character: str) -> str:
    if character in _NAMES:
        return _NAMES[character]
    if character.isascii() and character.isprintable():
        return f"'{character}'"
    name = unicodedata.name(character, "a control character").lower()
    return f"{name} (U+{ord(character):04X})"


def nearest(wanted: str, lines: Sequence[str]) -> str | None:
    """Return the line that is most like an expected one, with its number, as text; ``None`` if none is."""
    first = max(len(lines) - MOST_LINES, 0)
    known = {line.strip(): number for number, line in enumerate(lines[first:], first + 1)}
    short = [line for line in known if len(line) <= LONGEST_LINE]
    found = difflib.get_close_matches(wanted[:LONGEST_LINE], short, n=1)
    return f"the nearest is line {known[found[0]]}: {found[0]!r}" if found else None


def end_of(output: str) -> str:
    """Return the end of an output, shortened for a message."""
    text = output.strip()
    if not text:
        return "no output"
    return text if len(text) <= 200 else f"…{text[-200:]}"
