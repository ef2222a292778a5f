"""Running in circles: "wither with the wither with the wither"."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

REPEAT_WORDS = 100
"""Words back to which a sequence of three words counts as repeated."""
REPEAT_CHARACTERS = 500
"""Characters back to which a sequence of twenty characters counts as repeated: about as far as 100 words."""
_WORDS, _CHARACTERS = 3, 20


def repeated_words(found: Sequence[str]) -> tuple[int, int]:
    """Count the sequences of three words that began within the `REPEAT_WORDS` words before too, and all."""
    return _repeated([tuple(found[at : at + _WORDS]) for at in range(len(found) - _WORDS + 1)], REPEAT_WORDS)


def repeated_characters(text: str) -> tuple[int, int]:
    """Count the sequences of twenty characters that began at most `REPEAT_CHARACTERS` before too, and all."""
    stretches = [text[at : at + _CHARACTERS] for at in range(len(text) - _CHARACTERS + 1)]
    return _repeated(stretches, REPEAT_CHARACTERS)


def _repeated(made: Sequence[Hashable], window: int) -> tuple[int, int]:
    seen: dict[Hashable, int] = {}
    repeats = 0
    for place, one in enumerate(made):
        repeats += one in seen and place - seen[one] <= window
        seen[one] = place
    return repeats, len(made)
