"""What a corpus is made of: its words, its speakers, its layout; the yardstick for generated text.

Pure functions on texts with no dependency, so that a certificate's numbers can be computed again anywhere.
The only chance in here is `random.Random.random` with a fixed seed, whose sequence Python promises to keep.
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
"""Words in the sequences that are looked up to tell new text from known text."""
_SHUFFLED = 50_000  # characters of the corpus that are shuffled to find out what chance gives


@dataclass(frozen=True, eq=False)
class Corpus:
    """What is known of the text a model was trained on; immutable: build it once, with `from_text`."""

    words: frozenset[str] = field(repr=False)
    pairs: frozenset[str] = field(repr=False)
    """Words that follow one another."""
    fours: frozenset[str] = field(repr=False)
    """Sequences of `NOVEL_WORDS` words."""
    headings: frozenset[str] = field(repr=False)
    alphabet: frozenset[str]
    limits: Limits
    passages: Passages = field(repr=False)
    characters: CharacterPairs = field(repr=False)
    best: Mapping[str, float]
    """What the corpus itself has: `layout_shares`, ``character_pairs`` (mean ln p of a character after the
    one before it) and ``word_pairs`` (share of the neighbouring words that are known as such: 1)."""
    chance: Mapping[str, float]
    """The same for the corpus' characters in random order."""

    @classmethod
    def from_text(cls, text: str) -> Corpus:
        """Return the corpus of ``text``; about a second for a million characters.

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
        """Return where ``value`` lies between chance (0) and the corpus itself (1), clipped to that.

        None if the corpus is no better than chance, or knows nothing by that name.
        """
        chance, best = self.chance.get(name, 0.0), self.best.get(name, 0.0)
        return min(1.0, max(0.0, (value - chance) / (best - chance))) if best > chance else None


def _shuffled(text: str) -> str:
    random = Random(0).random
    return "".join(character for _, character in sorted([(random(), character) for character in text]))
