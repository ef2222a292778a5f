"""Words: what a text is taken apart into before anything is counted."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
"""Letters, with apostrophes inside; hyphens separate."""
HEADING = re.compile(r"[A-Z][A-Za-z0-9'.,& -]*:")
"""The form of a speaker heading: a capital first, its only colon last."""


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case: letters, apostrophes inside them; hyphens separate."""
    return WORD.findall(text.lower())


def whole_part(text: str, prompt: str) -> tuple[int, int]:
    """Return where the whole words of ``text`` begin and end.

    A word that ``prompt``, which stands before the text, began is left out, and so is a last word with
    nothing after it, which may be cut off.
    """
    start, end = 0, len(text)
    if _is_letter(prompt[-1:]):
        while start < end and (_is_letter(text[start]) or text[start] == "'"):
            start += 1
    while end > start and (_is_letter(text[end - 1]) or text[end - 1] == "'"):
        end -= 1
    return start, end


def _is_letter(character: str) -> bool:
    """Return whether a character is one that words are made of; ``isalpha`` thinks otherwise of ``²``."""
    return WORD.fullmatch(character) is not None
