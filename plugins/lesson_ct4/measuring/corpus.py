"""Statistics of a corpus (words, speakers, layout), the reference for generated text.

Pure functions without dependencies, so that the numbers of a certificate can be recomputed anywhere. The only
random source is `random.Random.random` with a fixed seed, whose sequence Python guarantees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from lesson_ct4.measuring.copying import Passages
from lesson_ct4.measuring.layout import Limits, layout_counts, layout_shares
from lesson_ct4.measuring.plausibility import CharacterPairs, sequences
from lesson_ct4.measuring.vocabulary import HEADING, words

NOVEL_WORDS = 4
"""Length in words of the sequences that tell new text from known text."""
_SHUFFLED = 50_000  # characters of the corpus that are shuffled for the chance baseline


@dataclass(frozen=True, eq=False)
class Corpus:
    """Statistics of the text that a model was trained on; immutable. Build it once, with `from_text`."""

    words: frozenset[str] = field(repr=False)
    pairs: frozenset[str] = field(repr=False)
    """Pairs of adjacent words."""
    fours: frozenset[str] = field(repr=False)
    """Sequences of `NOVEL_WORDS` words."""
    headings: frozenset[str] = field(repr=False)
    alphabet: frozenset[str]
    limits: Limits
    passages: Passages = field(repr=False)
    characters: CharacterPairs = field(repr=False)
    best: Mapping[str, float]
    """Values of the corpus itself: `layout_shares`, ``character_pairs`` (mean ln p of a character given the
    previous one) and ``word_pairs`` (share of adjacent word pairs that occur in the corpus: 1)."""
    chance: Mapping[str, float]
    """The same values for the characters of the corpus in random order."""

    @classmethod
    def from_text(cls, text: str) -> Corpus:
        """Return the statistics of ``text``; this takes about a second per million characters.

        Raises:
            ValueError: the text has no words.
        """
        found = words(text)
        if not found:
            raise ValueError("the corpus has no words")
        lines = text.split("\n")
        opening = (line for before, line in zip(["", *lines], lines, strict=False) if not before)
        headings = frozenset(line for line in opening if HEADING.fullmatch(line))
        limits = Limits.from_text(text, headings)
        characters, pairs = CharacterPairs(text), frozenset(sequences(found, 2))

        shuffled = _shuffled(text[:: -(-len(text) // _SHUFFLED)])
        by_chance = sequences(words(shuffled), 2)
        return cls(
            words=frozenset(found),
            pairs=pairs,
            fours=frozenset(sequences(found, NOVEL_WORDS)),
            headings=headings,
            alphabet=frozenset(text),
            limits=limits,
            passages=Passages(text),
            characters=characters,
            best={
                **layout_shares(layout_counts(text, limits), limits),
                "character_pairs": characters.own,
                "word_pairs": 1.0,
            },
            chance={
                **layout_shares(layout_counts(shuffled, limits), limits),
                "character_pairs": characters.log_probability(shuffled) / max(len(shuffled) - 1, 1),
                "word_pairs": sum(pair in pairs for pair in by_chance) / max(len(by_chance), 1),
            },
        )

    def rescaled(self, name: str, value: float) -> float | None:
        """Return ``value`` rescaled so that chance is 0 and the corpus itself is 1, clipped to [0, 1].

        None if the corpus is no better than chance, or has no value of that name.
        """
        chance, best = self.chance.get(name, 0.0), self.best.get(name, 0.0)
        return min(1.0, max(0.0, (value - chance) / (best - chance))) if best > chance else None


def _shuffled(text: str) -> str:
    random = Random(0).random
    return "".join(character for _, character in sorted([(random(), character) for character in text]))
