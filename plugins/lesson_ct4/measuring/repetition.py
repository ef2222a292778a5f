"""Repetition in generated text: "wither with the wither with the wither"."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

REPEAT_WORDS = 100
"""A three-word sequence counts as repeated if it occurred within this many words before."""
REPEAT_CHARACTERS = 500
"""The same for twenty-character sequences, in characters; about as far back as 100 words."""
_WORDS, _CHARACTERS = 3, 20


def repeated_words(found: Sequence[str]) -> tuple[int, int]:
    """Return the number of repeated three-word sequences, and of all of them."""
    return _repeated([tuple(found[at : at + _WORDS]) for at in range(len(found) - _WORDS + 1)], REPEAT_WORDS)


def repeated_characters(text: str) -> tuple[int, int]:
    """Return the number of repeated twenty-character sequences, and of all of them."""
    stretches = [text[at : at + _CHARACTERS] for at in range(len(text) - _CHARACTERS + 1)]
    return _repeated(stretches, REPEAT_CHARACTERS)


def _repeated(made: Sequence[Hashable], window: int) -> tuple[int, int]:
    seen: dict[Hashable, int] = {}
    repeats = 0
    for place, one in enumerate(made):
        repeats += one in seen and place - seen[one] <= window
        seen[one] = place
    return repeats, len(made)
