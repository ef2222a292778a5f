"""Tell a slip of the fingers from another name."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 4
"""Shorter names are too close to each other."""


def is_typo(word: str, known: Iterable[str]) -> bool:
    """
    Return whether a word is a known name with one slip.

    Two neighbouring letters are swapped, one is typed twice, or one is missing that is not the first:
    ``unzip`` is not a misspelt ``gunzip``.
    """
    known = set(known)
    return word not in known and any(_is_slip(word, name) for name in known if len(name) >= SHORTEST)


def _is_slip(word: str, name: str) -> bool:
    longer = len(word) - len(name)
    at = next((place for place, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), -1)
    if longer == 0:
        swapped = name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :]
        return at >= 0 and word == swapped
    if longer == 1:
        at = at if at >= 0 else len(name)
        return at > 0 and word[at] == word[at - 1] and word[:at] + word[at + 1 :] == name
    if longer == -1 and len(name) > SHORTEST:
        at = at if at >= 0 else len(word)
        return at > 0 and name[:at] + name[at + 1 :] == word
    return False
