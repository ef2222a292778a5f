"""Split a text into words."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
"""Letters, with apostrophes inside; hyphens separate."""
HEADING = re.compile(r"[A-Z][A-Za-z0-9'.,& -]*:")
"""The form of a speaker heading: it starts with a capital and ends with its only colon."""


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case: letters, apostrophes inside them; hyphens separate."""
    return WORD.findall(text.lower())


def whole_part(text: str, prompt: str) -> tuple[int, int]:
    """Return start and end of the part of ``text`` that has complete words only.

    ``prompt`` precedes the text; a word that began in it is left out. So is a word at the very end of the
    text, because it may be cut off.
    """
    start, end = 0, len(text)
    if _is_letter(prompt[-1:]):
        while start < end and (_is_letter(text[start]) or text[start] == "'"):
            start += 1
    while end > start and (_is_letter(text[end - 1]) or text[end - 1] == "'"):
        end -= 1
    return start, end


def _is_letter(character: str) -> bool:
    """Return whether a character can be part of a word; unlike ``isalpha`` for ``²``."""
    return WORD.fullmatch(character) is not None
