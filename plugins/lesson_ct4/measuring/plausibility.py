"""Plausibility of adjacent characters and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import fsum, log


class CharacterPairs:
    """A character bigram model with Laplace smoothing: every count is increased by 1."""

    def __init__(self, text: str) -> None:
        pairs, firsts = Counter(pairwise(text)), Counter(text[:-1])
        possible = len(set(text)) + 1  # all characters outside the text count as one
        self._seen = {
            (first, second): log((count + 1) / (firsts[first] + possible))
            for (first, second), count in pairs.items()
        }
        self._unseen = {first: log(1 / (count + possible)) for first, count in firsts.items()}
        self._unknown = log(1 / possible)
        self.own = fsum(count * self._seen[pair] for pair, count in pairs.items()) / max(len(text) - 1, 1)
        """Mean ln p over the text itself: approximately the negative entropy of its bigrams."""

    def log_probability(self, text: str) -> float:
        """Return the sum of ln p(character | previous character) over ``text``, from its second character."""
        return fsum(
            self._seen[pair] if pair in self._seen else self._unseen.get(pair[0], self._unknown)
            for pair in pairwise(text)
        )


def sequences(found: Sequence[str], size: int) -> list[str]:
    """Return every sequence of ``size`` adjacent words, joined by spaces."""
    return list(map(" ".join, zip(*(found[start:] for start in range(size)), strict=False)))
