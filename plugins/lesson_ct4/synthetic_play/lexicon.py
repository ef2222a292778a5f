"""The choice of words in the synthetic play: by topic, frequency and collocation."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from lesson_ct4.synthetic_play import forms, words
from lesson_ct4.synthetic_play.forms import Noun, Verb
from lesson_ct4.synthetic_play.scene import Scene, Weighted, zipf

_Table = TypeVar("_Table", Weighted[Verb], Weighted[str])


class Lexicon:
    """Draws random words for ``scene``, which must be set first."""

    scene: Scene

    def __init__(self, random: Random) -> None:
        self.random = random.random
        fields = [words.GENERAL, *words.FIELDS.values()]
        self._nouns = zipf(words.GENERAL.nouns, 8)
        # All words with equal weight, for occasional words from outside the topics.
        self._all_nouns = Weighted((1, noun) for topic in fields for noun in topic.nouns)
        self._all_acts = Weighted((1, verb) for topic in fields for verb in topic.transitive)
        self._all_motions = Weighted((1, verb) for topic in fields for verb in topic.intransitive)
        self._all_adjectives = Weighted((1, word) for topic in fields for word in topic.adjectives)
        self._transitive = zipf(words.GENERAL.transitive, 6)
        self._intransitive = zipf(words.GENERAL.intransitive, 5)
        self._adjectives = zipf(words.GENERAL.adjectives, 6)
        self._mental = zipf(words.MENTAL, 3)
        self._adverbs = zipf(words.ADVERBS, 3)
        self._people = zipf(words.PEOPLE, 3)
        self._fond: dict[Noun, Weighted[str]] = {}  # adjectives that go with a noun
        self._objects: dict[Verb, Weighted[Noun]] = {}  # objects that go with a verb
        for topic in fields:
            adjectives, nouns = zipf(topic.adjectives, 10), zipf(topic.nouns, 20)
            for noun in topic.nouns:
                tables = [adjectives if self.chance(70) else self._adjectives for _ in range(5)]
                self._fond.setdefault(noun, zipf([table.draw(self.random) for table in tables], 1))
            for verb in topic.transitive:
                self._objects.setdefault(verb, zipf([nouns.draw(self.random) for _ in range(8)], 1))

    def chance(self, percent: int) -> bool:
        """Return True with a probability of ``percent`` percent."""
        return self.random() * 100 < percent

    def chosen(self, *options: str) -> str:
        """Return a random option; all are equally likely."""
        return options[int(self.random() * len(options))]

    def address(self) -> str:
        """Return a vocative: for the partner, for another person in the scene, or a general one."""
        scene, roll = self.scene, self.random()
        if scene.partner and roll < 0.4:
            return scene.partner.address
        if roll < 0.5:
            return self.chosen(*[person.address for person in scene.cast if person is not scene.speaker])
        person = self._people.draw(self.random)
        return f"{self.chosen('my', 'good', 'sweet', 'my good', 'my', self._adjective())} {person}"

    def _your(self) -> str:
        return "thy" if self.scene.familiar else "your"

    def _noun(self) -> Noun:
        scene, roll = self.scene, self.random()
        if roll < 0.25:
            return scene.salient.draw(self.random)
        if roll < 0.56:
            return scene.nouns[int(self.random() * len(scene.nouns))].draw(self.random)
        return (self._nouns if roll < 0.90 else self._all_nouns).draw(self.random)

    def _table(self, topical: _Table, general: _Table, rare: _Table) -> _Table:
        roll = self.random()
        return topical if roll < 0.42 else general if roll < 0.88 else rare

    def _act(self) -> Verb:
        topical = self.scene.transitive[int(self.random() * len(self.scene.transitive))]
        return self._table(topical, self._transitive, self._all_acts).draw(self.random)

    def _motion(self) -> Verb:
        topical = self.scene.intransitive[int(self.random() * len(self.scene.intransitive))]
        return self._table(topical, self._intransitive, self._all_motions).draw(self.random)

    def _plain_adjective(self) -> str:
        topical = self.scene.adjectives[int(self.random() * len(self.scene.adjectives))]
        return self._table(topical, self._adjectives, self._all_adjectives).draw(self.random)

    def _adjective(self, noun: Noun | None = None) -> str:
        if noun is not None and self.chance(50):
            return self._fond[noun].draw(self.random)
        word, roll = self._plain_adjective(), self.random()
        if roll < 0.05:
            return f"{self._noun().singular}-{forms.elided(self._act().participle)}"
        if roll < 0.07:
            trait = self.chosen("hearted", "eyed", "tongued", "faced", "handed", "blooded", "minded")
            return f"{word}-{trait}"
        if roll < 0.12 and word in words.NEGATED:
            return "un" + word
        return forms.compared(word, "est" if roll < 0.13 else "er") if roll < 0.16 else word

    def _adverb(self) -> str:
        word = self._plain_adjective() if self.chance(35) else ""
        if not word or word.endswith(words.NO_ADVERB):
            return self._adverbs.draw(self.random)
        return forms.adverb(word)
