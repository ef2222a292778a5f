"""How well neighbours go together: pairs of characters, and sequences of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import fsum, log


class CharacterPairs:
    """A bigram model of characters; a count added to every pair (Laplace) leaves none impossible."""

    def __init__(self, text: str) -> None:
        pairs, firsts = Counter(pairwise(text)), Counter(text[:-1])
        possible = len(set(text)) + 1  # all characters that the text does not have count as one
        self._seen = {
            (first, second): log((count + 1) / (firsts[first] + possible))
            for (first, second), count in pairs.items()
        }
        self._unseen = {first: log(1 / (count + possible)) for first, count in firsts.items()}
        self._unknown = log(1 / possible)
        self.own = fsum(count * self._seen[pair] for pair, count in pairs.items()) / max(len(text) - 1, 1)
        """The mean of ln p over the text itself: minus the entropy of its bigrams, nearly."""

    def log_probability(self, text: str) -> float:
        """Return the sum over ``text``, from its second character on, of ln p(character | the one before)."""
        return fsum(
            self._seen[pair] if pair in self._seen else self._unseen.get(pair[0], self._unknown)
            for pair in pairwise(text)
        )


def sequences(found: Sequence[str], size: int) -> list[str]:
    """Return every sequence of ``size`` words that follow one another, with a space between them."""
    return list(map(" ".join, zip(*(found[start:] for start in range(size)), strict=False)))
